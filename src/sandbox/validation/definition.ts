import type { StoredObject } from "../api.ts";
import { isObject, type JsonObject, listAt, textAt, valueAt } from "../json.ts";
import { type Cause, cause } from "../status.ts";
import { ruleProblem } from "./rules.ts";

/** A CustomResourceDefinition: names, one storage version, and a structural schema. */
export function validateDefinition(object: JsonObject, before: StoredObject | undefined): readonly Cause[] {
  const causes: Cause[] = [];
  const group = textAt(object, "spec", "group") ?? "";
  const plural = textAt(object, "spec", "names", "plural") ?? "";
  const name = textAt(object, "metadata", "name") ?? "";
  if (name !== `${plural}.${group}`) {
    causes.push(cause.invalid("metadata.name", name, `must be spec.names.plural+"."+spec.group`));
  }
  for (const field of ["plural", "kind"]) {
    if (!textAt(object, "spec", "names", field)) causes.push(cause.required(`spec.names.${field}`));
  }
  const scope = textAt(object, "spec", "scope");
  if (scope !== "Namespaced" && scope !== "Cluster") {
    causes.push(cause.unsupported("spec.scope", scope ?? "", ["Cluster", "Namespaced"]));
  }
  if (before !== undefined && textAt(before, "spec", "scope") !== scope) {
    causes.push(cause.invalid("spec.scope", scope, "field is immutable"));
  }
  const versions = listAt(object, "spec", "versions");
  if (versions.filter((version) => valueAt(version, "storage") === true).length !== 1) {
    causes.push(
      cause.invalid("spec.versions", versions, "must have exactly one version marked as storage version"),
    );
  }
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}].schema.openAPIV3Schema`;
    const schema = valueAt(version, "schema", "openAPIV3Schema");
    if (!isObject(schema)) causes.push(cause.required(path, "schemas are required"));
    else if (schema.type !== "object" && schema["x-kubernetes-preserve-unknown-fields"] !== true) {
      causes.push(
        schema.type === undefined
          ? cause.required(`${path}.type`, "must not be empty at the root")
          : cause.invalid(`${path}.type`, schema.type, "must be object at the root"),
      );
    } else checkStructural(schema, path, causes);
  }
  return causes;
}

/** Words that a branch of a logical junctor may not have: they belong to the structure outside. */
const structural = ["type", "default", "description", "title", "additionalProperties", "nullable"];

function checkJunctors(schema: JsonObject, path: string, causes: Cause[]): void {
  if (schema["x-kubernetes-int-or-string"] === true) return;
  for (const junctor of ["allOf", "anyOf", "oneOf"]) {
    for (const [index, branch] of listAt(schema, junctor).entries()) {
      for (const word of structural) {
        if (valueAt(branch, word) === undefined) continue;
        causes.push(
          cause.forbidden(`${path}.${junctor}[${index}].${word}`, "must be empty to be structural"),
        );
      }
    }
  }
}

function checkStructural(schema: JsonObject, path: string, causes: Cause[]): void {
  const typeless =
    schema["x-kubernetes-preserve-unknown-fields"] === true || schema["x-kubernetes-int-or-string"] === true;
  if (schema.type === undefined && !typeless) {
    causes.push(cause.required(`${path}.type`, "must not be empty for specified object fields"));
  }
  checkJunctors(schema, path, causes);
  const rules = schema["x-kubernetes-validations"];
  for (const [index, rule] of (Array.isArray(rules) ? rules : []).entries()) {
    const text = textAt(rule, "rule") ?? "";
    const problem = ruleProblem(text);
    if (problem !== undefined) {
      causes.push(cause.invalid(`${path}.x-kubernetes-validations[${index}].rule`, text, problem));
    }
  }
  if (isObject(schema.properties)) {
    for (const [field, inner] of Object.entries(schema.properties)) {
      if (isObject(inner)) checkStructural(inner, `${path}.properties[${field}]`, causes);
    }
    if (isObject(schema.additionalProperties)) {
      causes.push(
        cause.forbidden(
          `${path}.additionalProperties`,
          "additionalProperties and properties are mutual exclusive",
        ),
      );
    }
  }
  if (isObject(schema.additionalProperties)) {
    checkStructural(schema.additionalProperties, `${path}.additionalProperties`, causes);
  }
  if (isObject(schema.items)) checkStructural(schema.items, `${path}.items`, causes);
  if (schema.type === "array" && schema.items === undefined) {
    causes.push(cause.required(`${path}.items`, "must be specified"));
  }
}
