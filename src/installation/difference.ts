import { isRecord } from "../cluster/object.ts";

/** One field in which two objects differ: `spec.quota.cpu`, with both values as short JSON; unset where it is not there. */
export interface FieldDifference {
  readonly field: string;
  readonly before?: string;
  readonly after?: string;
}

/** Longest value that is shown whole, in characters. */
const longest = 60;

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

/** Every field in which two JSON values differ, down to the smallest value; lists are compared element by element. Pure. */
export function difference(before: unknown, after: unknown, field = ""): readonly FieldDifference[] {
  if (Array.isArray(before) && Array.isArray(after)) {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, index) =>
      difference(before[index], after[index], `${field}[${index}]`),
    ).flat();
  }
  if (isRecord(before) && isRecord(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
      difference(before[key], after[key], field === "" ? key : `${field}.${key}`),
    );
  }
  if (before === undefined && after === undefined) return [];
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [
    {
      field,
      ...(before === undefined ? {} : { before: short(before) }),
      ...(after === undefined ? {} : { after: short(after) }),
    },
  ];
}
