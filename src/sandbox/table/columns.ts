import { textAt } from "../json.ts";
import type { ResourceInfo } from "../resources.ts";
import { ageSince } from "./age.ts";
import { builtinColumns, leadingColumns } from "./builtin-columns.ts";
import { ageColumn, type Column, column, nameColumn } from "./column.ts";
import { jsonPath } from "./json-path.ts";

/** The columns of a resource, the name first. */
export function columnsOf(resource: ResourceInfo): readonly Column[] {
  if (resource.custom === undefined) {
    const own = builtinColumns[resource.id];
    return own === undefined
      ? [nameColumn, createdColumn]
      : (leadingColumns[resource.id] ?? [nameColumn]).concat(own);
  }
  const { columns } = resource.custom;
  // Without columns of its own a custom resource shows its age.
  if (columns.length === 0) return [nameColumn, ageColumn];
  return [
    nameColumn,
    ...columns.map(
      ({ name, type, format, description, priority, jsonPath: path }): Column => ({
        name,
        type,
        format,
        description,
        priority,
        cell: (object, now) => {
          const value = jsonPath(object, path);
          return type === "date"
            ? value === undefined
              ? "<unknown>"
              : ageSince(value, now)
            : typed(value, type);
        },
      }),
    ),
  ];
}

const createdColumn = column("Created At", (object) => textAt(object, "metadata", "creationTimestamp"), {
  type: "date",
});

/** A value of another type than its column's is shown as nothing, as a real server does. */
function typed(value: unknown, type: string): unknown {
  if (value === undefined) return type === "string" ? "" : null;
  switch (type) {
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    default:
      return typeof value === "object" ? JSON.stringify(value) : String(value);
  }
}
