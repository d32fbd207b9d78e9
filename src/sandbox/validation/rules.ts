import { Environment } from "@marcbachmann/cel-js";
import { isObject, type JsonObject } from "../json.ts";
import { fieldSchema, resolved, type Schema, type ValidationRule } from "../schema/schema.ts";
import { type Cause, cause } from "../status.ts";

const environment = new Environment({ unlistedVariablesAreDyn: true });

/** What is wrong with the text of a rule, or undefined. */
export function ruleProblem(rule: string): string | undefined {
  try {
    environment.parse(rule);
    return undefined;
  } catch (error) {
    return `compilation failed: ${messageOf(error)}`;
  }
}

/**
 * Evaluates the CEL rules (`x-kubernetes-validations`) of a custom resource. Rules that name `oldSelf` run on updates
 * only, of values that were there before.
 */
export function validateRules(
  schema: Schema,
  object: JsonObject,
  before: JsonObject | undefined,
): readonly Cause[] {
  const causes: Cause[] = [];
  visit(schema, object, before, "", causes);
  return causes;
}

function visit(given: Schema, value: unknown, before: unknown, path: string, causes: Cause[]): void {
  if (value === undefined || value === null) return;
  const schema = resolved(given);
  for (const rule of schema["x-kubernetes-validations"] ?? []) {
    const broken = evaluate(rule, schema, value, before, path);
    if (broken !== undefined) causes.push(broken);
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (const [index, item] of value.entries()) {
      visit(items, item, correlated(schema, item, before), `${path}[${index}]`, causes);
    }
  } else if (isObject(value)) {
    for (const [field, inner] of Object.entries(value)) {
      const next = path === "" && field === "metadata" ? undefined : fieldSchema(given, field);
      const earlier = isObject(before) ? before[field] : undefined;
      if (next !== undefined) visit(next, inner, earlier, path === "" ? field : `${path}.${field}`, causes);
    }
  }
}

/** The earlier item of an associative list with the same keys; other lists have no identity over time. */
function correlated(schema: Schema, item: unknown, before: unknown): unknown {
  const keys = schema["x-kubernetes-list-map-keys"];
  if (keys === undefined || !Array.isArray(before) || !isObject(item)) return undefined;
  return before.find((earlier) => isObject(earlier) && keys.every((key) => earlier[key] === item[key]));
}

function evaluate(
  rule: ValidationRule,
  schema: Schema,
  value: unknown,
  before: unknown,
  path: string,
): Cause | undefined {
  const isTransition = /\boldSelf\b/.test(rule.rule);
  if (isTransition && (before === undefined || before === null)) return undefined;
  const variables = {
    self: celValue(value, schema),
    ...(isTransition ? { oldSelf: celValue(before, schema) } : {}),
  };
  const field = `${path}${rule.fieldPath ?? ""}` || "<nil>";
  try {
    if (environment.evaluate(rule.rule, variables) === true) return undefined;
    return failed(
      rule,
      schema,
      field,
      rule.message ?? messageFrom(rule, variables) ?? `failed rule: ${rule.rule}`,
    );
  } catch (error) {
    return failed(rule, schema, field, `${messageOf(error)} evaluating rule: ${rule.message ?? rule.rule}`);
  }
}

function messageFrom(rule: ValidationRule, variables: JsonObject): string | undefined {
  if (rule.messageExpression === undefined) return undefined;
  try {
    const message: unknown = environment.evaluate(rule.messageExpression, variables);
    return typeof message === "string" ? message : undefined;
  } catch {
    return undefined;
  }
}

function failed(rule: ValidationRule, schema: Schema, field: string, message: string): Cause {
  switch (rule.reason) {
    case "FieldValueForbidden":
      return cause.forbidden(field, message);
    case "FieldValueRequired":
      return cause.required(field, message);
    default:
      return {
        ...cause.invalid(field, schema.type ?? "object", message),
        reason: rule.reason ?? "FieldValueInvalid",
      };
  }
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";

/** Integers are CEL's int, everything else is as in JSON. */
function celValue(value: unknown, given: Schema | undefined): unknown {
  const schema = given === undefined ? undefined : resolved(given);
  if (typeof value === "number") {
    const whole = schema?.type === "integer" || (schema?.type === undefined && Number.isInteger(value));
    return whole ? BigInt(Math.trunc(value)) : value;
  }
  if (Array.isArray(value)) return value.map((item: unknown) => celValue(item, schema?.items));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => [field, celValue(inner, fieldSchema(given, field))]),
  );
}
