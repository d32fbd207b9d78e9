import { ageColumn, type Column } from "./column.ts";

/** The columns after the name, by resource. */
export const builtinColumns: Readonly<Record<string, readonly Column[]>> = {
  "/namespaces": [ageColumn],
};
