import type { JsonObject } from "../json.ts";
import type { Schema } from "../schema/schema.ts";
import type { Cause } from "../status.ts";

/** CEL rules (`x-kubernetes-validations`). */
export function validateRules(
  _schema: Schema,
  _object: JsonObject,
  _before: JsonObject | undefined,
): readonly Cause[] {
  return [];
}
