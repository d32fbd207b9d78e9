import { copy, isObject, type JsonObject } from "../json.ts";
import { resolved, type Schema } from "./schema.ts";

/**
 * Fills in the defaults of a structural schema, as an API server does for custom resources on every read and write:
 * missing fields, and nulls where null is not allowed. Changes `value`.
 */
export function applyDefaults(value: unknown, given: Schema): void {
  const schema = resolved(given);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) for (const item of value) applyDefaults(item, items);
    return;
  }
  if (!isObject(value)) return;
  for (const [field, inner] of Object.entries(schema.properties ?? {})) defaultField(value, field, inner);
  const { additionalProperties } = schema;
  if (isObject(additionalProperties)) {
    for (const field of Object.keys(value)) {
      if (!Object.hasOwn(schema.properties ?? {}, field)) applyDefaults(value[field], additionalProperties);
    }
  }
}

function defaultField(object: JsonObject, field: string, schema: Schema): void {
  if (schema.$ref !== undefined) return; // metadata: a built-in type has its defaults elsewhere
  const missing = object[field] === undefined || (object[field] === null && schema.nullable !== true);
  if (missing && schema.default !== undefined) object[field] = copy(schema.default);
  applyDefaults(object[field], schema);
}
