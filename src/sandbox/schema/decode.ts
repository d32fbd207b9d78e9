import { isObject, type JsonObject } from "../json.ts";
import { canonicalQuantity } from "./quantity.ts";
import { fieldSchema, keepsUnknown, resolved, type Schema } from "./schema.ts";

/** What decoding an object of a built-in type found. */
export interface Decoded {
  readonly object: JsonObject;
  /** Paths of fields that the type does not have; they are gone from `object`. */
  readonly unknown: readonly string[];
}

/** A value that has not the type of its field: the message of Go's decoder. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/**
 * Reads an object as a built-in Go type does: unknown fields and nulls are dropped, quantities and times take their
 * stored form.
 * @throws DecodeError where a value has another type than its field.
 */
export function decodeBuiltin(object: JsonObject, schema: Schema): Decoded {
  const unknown: string[] = [];
  const decoded = decodeObject(object, schema, "", unknown);
  return { object: decoded, unknown };
}

const join = (path: string, field: string) => (path === "" ? field : `${path}.${field}`);

function decodeObject(object: JsonObject, schema: Schema, path: string, unknown: string[]): JsonObject {
  const made: JsonObject = {};
  const open = keepsUnknown(resolved(schema));
  for (const [field, value] of Object.entries(object)) {
    const inner = fieldSchema(schema, field);
    if (inner === undefined) {
      if (open) made[field] = value;
      else unknown.push(join(path, field));
    } else if (value !== null) {
      const decoded = decodeValue(value, inner, join(path, field), unknown);
      const required = resolved(schema).required?.includes(field) === true;
      if (required || !isOmitted(decoded, inner)) made[field] = decoded;
    }
  }
  return made;
}

/** Go leaves empty lists and maps out of its JSON; an empty object of named fields may mean something. */
function isOmitted(value: unknown, schema: Schema): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return (
    isObject(value) && Object.keys(value).length === 0 && isObject(resolved(schema).additionalProperties)
  );
}

function decodeValue(value: unknown, schema: Schema, path: string, unknown: string[]): unknown {
  const reference = schema.$ref ?? "";
  if (reference.endsWith(".Quantity")) return quantity(value);
  if (reference.endsWith(".Time")) return time(value, path);
  if (reference.endsWith(".MicroTime")) return microTime(value);
  const { type, format, items } = resolved(schema);
  if (reference.endsWith(".IntOrString")) {
    if (typeof value === "string" || Number.isInteger(value)) return value;
    throw mismatch(value, path, "intstr.IntOrString");
  }
  switch (type) {
    case "object":
      if (!isObject(value)) throw mismatch(value, path, "map");
      return decodeObject(value, schema, path, unknown);
    case "array":
      if (!Array.isArray(value)) throw mismatch(value, path, "slice");
      return value.map((item: unknown, index) =>
        items === undefined || item === null ? item : decodeValue(item, items, `${path}[${index}]`, unknown),
      );
    case "integer":
      if (typeof value !== "number" || !Number.isInteger(value))
        throw mismatch(value, path, format ?? "int32");
      if (format === "int32" && Math.abs(value) > 2 ** 31 - 1) {
        throw new DecodeError(
          `json: cannot unmarshal number ${value} into Go struct field ${path} of type int32`,
        );
      }
      return value;
    case "number":
      if (typeof value !== "number") throw mismatch(value, path, "float64");
      return value;
    case "boolean":
      if (typeof value !== "boolean") throw mismatch(value, path, "bool");
      return value;
    case "string":
      if (typeof value !== "string") throw mismatch(value, path, "string");
      if (format === "byte") return base64(value);
      return value;
    default:
      return value;
  }
}

function mismatch(value: unknown, path: string, type: string): DecodeError {
  const found = Array.isArray(value)
    ? "array"
    : typeof value === "boolean"
      ? "bool"
      : typeof value === "number" && !Number.isInteger(value)
        ? `number ${value}`
        : typeof value;
  return new DecodeError(`json: cannot unmarshal ${found} into Go struct field ${path} of type ${type}`);
}

function quantity(value: unknown): string {
  const canonical = canonicalQuantity(typeof value === "number" ? String(value) : String(value ?? ""));
  if (canonical === undefined || !["string", "number"].includes(typeof value)) {
    throw new DecodeError(
      `quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    );
  }
  return canonical;
}

function time(value: unknown, path: string): string {
  if (typeof value !== "string" || Number.isNaN(Date.parse(value)) || !value.includes("T")) {
    throw new DecodeError(
      `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse (${path})`,
    );
  }
  return new Date(value).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Lease times: exactly six decimals, as Go's layout demands. */
function microTime(value: unknown): string {
  const found =
    typeof value === "string" ? /^(.+T\d\d:\d\d:\d\d)(\.\d{6})(Z|[+-]\d\d:\d\d)$/.exec(value) : null;
  if (found === null || typeof value !== "string" || Number.isNaN(Date.parse(value))) {
    const rest = typeof value === "string" ? value.replace(/^.*:\d\d/, "") : "";
    throw new DecodeError(
      `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05.000000Z07:00": cannot parse ${JSON.stringify(rest)} as ".000000"`,
    );
  }
  return value;
}

function base64(value: string): string {
  const clean = value.replace(/[\r\n]/g, "");
  const wrong = /[^A-Za-z0-9+/=]/.exec(clean);
  if (wrong !== null || clean.length % 4 !== 0 || !/^[^=]*={0,2}$/.test(clean)) {
    throw new DecodeError(
      `illegal base64 data at input byte ${wrong?.index ?? Math.max(0, clean.length - 1)}`,
    );
  }
  return clean;
}

/**
 * Drops from a custom resource what its structural schema does not name, but for fields below
 * `x-kubernetes-preserve-unknown-fields`. Changes `object`; returns the dropped paths.
 */
export function pruneCustom(object: JsonObject, schema: Schema): readonly string[] {
  const unknown: string[] = [];
  pruneValue(object, schema, "", unknown);
  return unknown;
}

function pruneValue(value: unknown, given: Schema, path: string, unknown: string[]): void {
  const schema = resolved(given);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) {
      for (const [index, item] of value.entries()) pruneValue(item, items, `${path}[${index}]`, unknown);
    }
    return;
  }
  if (!isObject(value)) return;
  if (schema["x-kubernetes-int-or-string"] === true) return;
  const open =
    schema["x-kubernetes-preserve-unknown-fields"] === true || schema.additionalProperties === true;
  for (const field of Object.keys(value)) {
    const inner =
      schema["x-kubernetes-embedded-resource"] === true && ["apiVersion", "kind", "metadata"].includes(field)
        ? (fieldSchema(schema, field) ?? {})
        : fieldSchema(schema, field);
    if (inner !== undefined) {
      if (Object.keys(inner).length > 0) pruneValue(value[field], inner, join(path, field), unknown);
    } else if (!open) {
      unknown.push(join(path, field));
      delete value[field];
    }
  }
}
