import type { StoredObject } from "../api.ts";
import { type JsonObject, textAt, valueAt } from "../json.ts";
import { ageSince } from "./age.ts";

/** One column of a Table. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  /** 0 is always shown, more only with `-o wide`. */
  readonly priority: number;
  readonly cell: (object: StoredObject | JsonObject, now: Date) => unknown;
}

/** The first column of every resource. */
export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name must be unique within a namespace.",
  priority: 0,
  cell: (object) => textAt(object, "metadata", "name"),
};

/** A column at a fixed place of every object, and its age. */
export function column(
  name: string,
  cell: Column["cell"],
  { type = "string", format = "", priority = 0 }: Partial<Pick<Column, "type" | "format" | "priority">> = {},
): Column {
  return { name, type, format, description: "", priority, cell };
}

/** The last column of most resources. */
export const ageColumn: Column = column("Age", (object, now) =>
  ageSince(valueAt(object, "metadata", "creationTimestamp"), now),
);
