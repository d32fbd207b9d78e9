import { z } from "zod";
import type { Json } from "./object.ts";

type JsonObject = { readonly [key: string]: Json };

/** Keywords of JSON Schema that a CRD's schema may not have. */
const dropped = new Set(["$schema", "propertyNames", "$id", "id"]);

/** How a structural schema is made of a zod schema. */
export interface StructuralSchemaOptions {
  /** Whether the server fills in defaults, so that what it stores is whole. */
  readonly defaults?: boolean;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isIntOrString(node: JsonObject): boolean {
  const { anyOf } = node;
  if (!Array.isArray(anyOf)) return false;
  const types = anyOf.map((branch: Json) => (isObject(branch) ? branch.type : undefined)).sort();
  return types.length === 2 && types[0] === "integer" && types[1] === "string";
}

function convertNode(node: JsonObject, options: StructuralSchemaOptions): JsonObject {
  const description = node.description === undefined ? {} : { description: node.description };
  if (isIntOrString(node)) return { ...description, "x-kubernetes-int-or-string": true };
  const result: Record<string, Json> = {};
  for (const [key, value] of Object.entries(node)) {
    if (dropped.has(key) || (key === "default" && options.defaults !== true)) continue;
    // What a schema does not name is pruned by the server; `false` beside `properties` is refused.
    if (key === "additionalProperties" && !isObject(value)) continue;
    // The format says it all, and the server parses it.
    if (key === "pattern" && node.format === "date-time") continue;
    if ((key === "minimum" || key === "maximum") && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER)
      continue;
    if (key === "const") result.enum = [value];
    else if (key === "properties" && isObject(value)) {
      result[key] = Object.fromEntries(
        Object.entries(value).map(([name, child]) => [
          name,
          isObject(child) ? convertNode(child, options) : child,
        ]),
      );
    } else if (key === "allOf" && Array.isArray(value)) {
      // A structural schema has its type outside of `allOf`.
      result[key] = value.map((branch: Json) => {
        if (!isObject(branch)) return branch;
        const { type: _, ...rest } = branch;
        return rest;
      });
    } else if ((key === "items" || key === "additionalProperties") && isObject(value)) {
      result[key] = convertNode(value, options);
    } else result[key] = value;
  }
  return result;
}

/**
 * The structural OpenAPI v3 schema (what a CRD accepts) of what a zod schema takes as input. Unless asked for, defaults
 * are left out: they are applied by whoever parses, so that a later version's defaults reach stored objects.
 */
export function structuralSchema(schema: z.ZodType, options: StructuralSchemaOptions = {}): JsonObject {
  const generated: Json = JSON.parse(
    JSON.stringify(z.toJSONSchema(schema, { target: "openapi-3.0", io: "input", unrepresentable: "throw" })),
  );
  if (!isObject(generated)) throw new Error("a CRD's schema must be an object's");
  return convertNode(generated, options);
}
