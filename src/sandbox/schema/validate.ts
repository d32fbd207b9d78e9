import { equal, isObject } from "../json.ts";
import { type Cause, cause, shown } from "../status.ts";
import { fieldSchema, resolved, type Schema } from "./schema.ts";

/** What in a custom resource is not as its schema says, in the words of a real API server. */
export function validateSchema(value: unknown, schema: Schema, path = ""): readonly Cause[] {
  const causes: Cause[] = [];
  check(value, schema, path, causes);
  return causes;
}

const join = (path: string, field: string) => (path === "" ? field : `${path}.${field}`);
const typeOf = (value: unknown): string =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "array"
      : typeof value === "number" && Number.isInteger(value)
        ? "integer"
        : typeof value;

function hasType(value: unknown, type: string): boolean {
  const actual = typeOf(value);
  return actual === type || (type === "number" && actual === "integer");
}

function check(value: unknown, given: Schema, path: string, causes: Cause[]): void {
  const schema = resolved(given);
  const where = path === "" ? "<nil>" : path;
  if (value === null && schema.nullable === true) return;
  if (schema["x-kubernetes-int-or-string"] === true) {
    if (!["string", "integer"].includes(typeOf(value))) {
      causes.push(
        cause.typeInvalid(
          where,
          typeOf(value),
          `${path} in body must be of type integer,string: ${shown(typeOf(value))}`,
        ),
      );
    }
  } else if (schema.type !== undefined && !hasType(value, schema.type)) {
    causes.push(
      cause.typeInvalid(
        where,
        typeOf(value),
        `${path} in body must be of type ${schema.type}: ${shown(typeOf(value))}`,
      ),
    );
    return;
  }
  if (schema.enum !== undefined && !schema.enum.some((allowed) => equal(allowed, value))) {
    causes.push(cause.unsupported(where, value, schema.enum));
  }
  if (typeof value === "string") checkText(value, schema, path, where, causes);
  else if (typeof value === "number") checkNumber(value, schema, path, where, causes);
  else if (Array.isArray(value)) checkList(value, schema, path, where, causes);
  else if (isObject(value)) checkObject(value, given, path, where, causes);
  checkCombined(value, schema, path, where, causes);
}

function checkText(value: string, schema: Schema, path: string, where: string, causes: Cause[]): void {
  const length = [...value].length;
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    causes.push(cause.tooLong(where, schema.maxLength));
  }
  if (schema.minLength !== undefined && length < schema.minLength) {
    causes.push(
      cause.invalid(where, value, `${path} in body should be at least ${schema.minLength} chars long`),
    );
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
    causes.push(cause.invalid(where, value, `${path} in body should match '${schema.pattern}'`));
  }
  const format = schema.format === undefined ? undefined : formats[schema.format];
  if (format !== undefined && !format(value)) {
    causes.push(
      cause.invalid(where, value, `${path} in body must be of type ${schema.format}: ${shown(value)}`),
    );
  }
}

const formats: Readonly<Record<string, (value: string) => boolean>> = {
  "date-time": (value) =>
    /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(value) &&
    !Number.isNaN(Date.parse(value)),
  date: (value) => /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)),
  ipv4: (value) =>
    /^(\d{1,3}\.){3}\d{1,3}$/.test(value) && value.split(".").every((part) => Number(part) < 256),
  uuid: (value) => /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(value),
  byte: (value) => /^[A-Za-z0-9+/\r\n]*={0,2}$/.test(value),
  email: (value) => /^[^@\s]+@[^@\s]+$/.test(value),
  uri: (value) => URL.canParse(value),
};

function checkNumber(value: number, schema: Schema, path: string, where: string, causes: Cause[]): void {
  const { minimum, maximum, multipleOf } = schema;
  if (minimum !== undefined && (schema.exclusiveMinimum === true ? value <= minimum : value < minimum)) {
    const relation = schema.exclusiveMinimum === true ? "greater than" : "greater than or equal to";
    causes.push(cause.invalid(where, value, `${path} in body should be ${relation} ${minimum}`));
  }
  if (maximum !== undefined && (schema.exclusiveMaximum === true ? value >= maximum : value > maximum)) {
    const relation = schema.exclusiveMaximum === true ? "less than" : "less than or equal to";
    causes.push(cause.invalid(where, value, `${path} in body should be ${relation} ${maximum}`));
  }
  if (multipleOf !== undefined && value % multipleOf !== 0) {
    causes.push(cause.invalid(where, value, `${path} in body should be a multiple of ${multipleOf}`));
  }
  if (schema.format === "int32" && (value > 2 ** 31 - 1 || value < -(2 ** 31))) {
    causes.push(cause.invalid(where, value, `${path} in body must be of type int32: ${shown(value)}`));
  }
}

function checkList(
  value: readonly unknown[],
  schema: Schema,
  path: string,
  where: string,
  causes: Cause[],
): void {
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    causes.push({
      reason: "FieldValueTooMany",
      message: `Too many: ${value.length}: must have at most ${schema.maxItems} items`,
      field: where,
    });
  }
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    causes.push(
      cause.invalid(where, value.length, `${path} in body should have at least ${schema.minItems} items`),
    );
  }
  const { items } = schema;
  if (items !== undefined) {
    for (const [index, item] of value.entries()) check(item, items, `${path}[${index}]`, causes);
  }
  const type = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (type !== "set" && type !== "map") return;
  const seen: unknown[] = [];
  for (const [index, item] of value.entries()) {
    const identity =
      type === "set"
        ? item
        : Object.fromEntries(keys.map((key) => [key, isObject(item) ? item[key] : undefined]));
    if (seen.some((earlier) => equal(earlier, identity))) {
      causes.push(cause.duplicate(`${path}[${index}]`, identity));
    }
    seen.push(identity);
  }
}

function checkObject(
  value: { readonly [field: string]: unknown },
  given: Schema,
  path: string,
  where: string,
  causes: Cause[],
): void {
  const schema = resolved(given);
  for (const field of schema.required ?? []) {
    if (value[field] === undefined) causes.push(cause.required(join(path, field)));
  }
  const count = Object.keys(value).length;
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    causes.push({
      reason: "FieldValueTooMany",
      message: `Too many: ${count}: must have at most ${schema.maxProperties} items`,
      field: where,
    });
  }
  if (schema.minProperties !== undefined && count < schema.minProperties) {
    causes.push(
      cause.invalid(where, count, `${path} in body should have at least ${schema.minProperties} properties`),
    );
  }
  for (const [field, inner] of Object.entries(value)) {
    // Metadata is a built-in type, checked elsewhere.
    const next = path === "" && field === "metadata" ? undefined : fieldSchema(given, field);
    if (next !== undefined && inner !== undefined) check(inner, next, join(path, field), causes);
  }
}

function checkCombined(value: unknown, schema: Schema, path: string, where: string, causes: Cause[]): void {
  const passes = (option: Schema) => validateSchema(value, option, path).length === 0;
  for (const part of schema.allOf ?? []) check(value, part, path, causes);
  if (
    schema["x-kubernetes-int-or-string"] !== true &&
    schema.anyOf !== undefined &&
    !schema.anyOf.some(passes)
  ) {
    causes.push(cause.invalid(where, value, `${path} in body must validate at least one schema (anyOf)`));
  }
  if (schema.oneOf !== undefined && schema.oneOf.filter(passes).length !== 1) {
    causes.push(cause.invalid(where, value, `${path} in body must validate one and only one schema (oneOf)`));
  }
  if (schema.not !== undefined && passes(schema.not)) {
    causes.push(cause.invalid(where, value, `${path} in body must not validate the schema (not)`));
  }
}
