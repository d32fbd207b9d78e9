import schemas from "../builtin/schemas.json" with { type: "json" };
import { isObject } from "../json.ts";

/** An OpenAPI schema, of a built-in type or of a CRD; only what the server acts on. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly not?: Schema;
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: string;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
}

/** One CEL rule of a CRD. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

const definitions: Readonly<Record<string, Schema>> = schemas;

/** A built-in type by its OpenAPI name, for example `io.k8s.api.core.v1.Pod`. */
export function definition(name: string): Schema {
  const found = definitions[name];
  if (found === undefined) throw new Error(`the sandbox has no schema ${name}`);
  return found;
}

/** Every built-in type by its OpenAPI name. */
export function allDefinitions(): Readonly<Record<string, Schema>> {
  return definitions;
}

/** Follows a reference to a built-in type; its default stays that of the referring field. */
export function resolved(schema: Schema): Schema {
  return schema.$ref === undefined ? schema : definition(schema.$ref);
}

/** The schema of `metadata` of every object. */
export const objectMeta: Schema = { $ref: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" };

/** The schema of a field of an object: undefined where the schema says nothing about it. */
export function fieldSchema(schema: Schema | undefined, field: string): Schema | undefined {
  if (schema === undefined) return undefined;
  const { properties, additionalProperties } = resolved(schema);
  if (properties !== undefined && Object.hasOwn(properties, field)) return properties[field];
  return isObject(additionalProperties) ? additionalProperties : undefined;
}

/** Whether an object schema names its fields, or says that any may stand there. */
export function keepsUnknown(schema: Schema): boolean {
  return (
    schema["x-kubernetes-preserve-unknown-fields"] === true ||
    schema.additionalProperties === true ||
    (schema.properties === undefined && schema.additionalProperties === undefined)
  );
}
