/** One field of a spec that a change alters, for a person: `replicas: 3 → 5`. */
export interface FieldChange {
  /** Path from the spec: `resources.limits.memory`. */
  readonly field: string;
  /** Undefined where the field was not there. */
  readonly before: string | undefined;
  /** Undefined where the field is not there any more. */
  readonly after: string | undefined;
}

/** What differs between two specs, field by field, in the order of their names. Pure. */
export function specDiff(before: unknown, after: unknown): readonly FieldChange[] {
  const [was, is] = [flattened(before), flattened(after)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .sort()
    .filter((field) => was.get(field) !== is.get(field))
    .map((field) => ({ field, before: was.get(field), after: is.get(field) }));
}

/** An item of a list; of an object its fields by name, in whatever order they were written. */
function item(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return [...flattened(value)]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([field, text]) => `${field} ${text}`)
    .join(" ");
}

function flattened(value: unknown, path = ""): ReadonlyMap<string, string> {
  if (value === undefined) return new Map();
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return new Map([
      [
        path,
        Array.isArray(value) ? (value.length === 0 ? "none" : value.map(item).join(", ")) : String(value),
      ],
    ]);
  }
  return new Map(
    Object.entries(value).flatMap(([key, child]) => [
      ...flattened(child, path === "" ? key : `${path}.${key}`),
    ]),
  );
}
