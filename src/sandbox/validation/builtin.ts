import type { StoredObject } from "../api.ts";
import { equal, isObject, type JsonObject, listAt, numberAt, objectAt, textAt, valueAt } from "../json.ts";
import type { ResourceInfo } from "../resources.ts";
import { fieldSchema, resolved, type Schema } from "../schema/schema.ts";
import { type Cause, cause } from "../status.ts";
import { validateDefinition } from "./definition.ts";
import type { ValidationContext } from "./validate.ts";
import { validatePodSpec, validateWorkload } from "./workload.ts";

/** What a real API server refuses of the built-in kinds: required fields and enumerations from their types, the rest by kind. */
export function validateBuiltin(
  resource: ResourceInfo,
  object: JsonObject,
  before: StoredObject | undefined,
  context: ValidationContext,
): readonly Cause[] {
  if (context.subresource === "status" || context.subresource === "finalize") return [];
  const causes: Cause[] = [];
  const spec = objectAt(object, "spec");
  if (spec !== undefined) checkType(spec, fieldSchema(resource.schema, "spec"), "spec", causes);
  switch (resource.id) {
    case "/pods":
      causes.push(...validatePodSpec(spec, "spec"), ...(before ? podChanges(object, before) : []));
      break;
    case "/services":
      causes.push(...validateService(object, before));
      break;
    case "/configmaps":
    case "/secrets":
      causes.push(...validateData(resource, object, before));
      break;
    case "/persistentvolumeclaims":
      causes.push(...validateClaim(object, before));
      break;
    case "rbac.authorization.k8s.io/rolebindings":
    case "rbac.authorization.k8s.io/clusterrolebindings":
      if (before !== undefined && !equal(before.roleRef, object.roleRef)) {
        causes.push(cause.invalid("roleRef", object.roleRef, "cannot change roleRef"));
      }
      if (!textAt(object, "roleRef", "name")) causes.push(cause.required("roleRef.name"));
      break;
    case "storage.k8s.io/storageclasses":
      if (before !== undefined && !equal(before.parameters, object.parameters)) {
        causes.push(cause.forbidden("parameters", "updates to parameters are forbidden."));
      }
      if (before !== undefined && before.provisioner !== object.provisioner) {
        causes.push(cause.forbidden("provisioner", "updates to provisioner are forbidden."));
      }
      if (!textAt(object, "provisioner")) causes.push(cause.required("provisioner"));
      break;
    case "policy/poddisruptionbudgets":
      if (spec?.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
        causes.push(cause.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
      }
      break;
    case "autoscaling/horizontalpodautoscalers":
      causes.push(...validateAutoscaler(spec));
      break;
    case "networking.k8s.io/ingresses":
      if (listAt(spec, "rules").length === 0 && valueAt(spec, "defaultBackend") === undefined) {
        causes.push(cause.invalid("spec", spec, "either `defaultBackend` or `rules` must be specified"));
      }
      break;
    case "apiextensions.k8s.io/customresourcedefinitions":
      causes.push(...validateDefinition(object, before));
      break;
    default:
      causes.push(...validateWorkload(resource, object, before));
  }
  return causes;
}

/** Required fields and enumerations of a built-in type. */
function checkType(value: unknown, given: Schema | undefined, path: string, causes: Cause[]): void {
  if (given === undefined) return;
  const schema = resolved(given);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) {
      for (const [index, item] of value.entries()) checkType(item, items, `${path}[${index}]`, causes);
    }
    return;
  }
  if (
    schema.enum !== undefined &&
    typeof value === "string" &&
    value !== "" &&
    !schema.enum.includes(value)
  ) {
    causes.push(cause.unsupported(path, value, schema.enum));
  }
  if (!isObject(value)) return;
  for (const field of schema.required ?? []) {
    const missing = value[field] === undefined || value[field] === "";
    // Go's zero values pass for numbers and flags; templates and selectors are looked at below.
    const type = resolved(fieldSchema(schema, field) ?? {}).type;
    if (missing && type === "string") causes.push(cause.required(`${path}.${field}`));
    else if (
      missing &&
      (type === "array" || type === "integer") &&
      value[field] === undefined &&
      mustBeThere.has(field)
    ) {
      causes.push(cause.required(`${path}.${field}`));
    }
  }
  for (const [field, inner] of Object.entries(value)) {
    checkType(inner, fieldSchema(schema, field), `${path}.${field}`, causes);
  }
}

const mustBeThere = new Set(["containers", "containerPort"]);

function podChanges(object: JsonObject, before: StoredObject): readonly Cause[] {
  const mutable = (pod: JsonObject) => {
    const spec = { ...objectAt(pod, "spec") };
    for (const field of [
      "activeDeadlineSeconds",
      "terminationGracePeriodSeconds",
      "tolerations",
      "nodeName",
    ]) {
      delete spec[field];
    }
    for (const field of ["containers", "initContainers"]) {
      if (spec[field] !== undefined) {
        spec[field] = listAt(spec, field).map((container) =>
          isObject(container) ? { ...container, image: "" } : container,
        );
      }
    }
    return spec;
  };
  if (equal(mutable(object), mutable(before))) return [];
  return [
    cause.forbidden(
      "spec",
      "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
    ),
  ];
}

function validateService(object: JsonObject, before: StoredObject | undefined): readonly Cause[] {
  const causes: Cause[] = [];
  const spec = objectAt(object, "spec") ?? {};
  const ports = listAt(spec, "ports");
  if (ports.length === 0 && spec.clusterIP !== "None" && spec.type !== "ExternalName") {
    causes.push(cause.required("spec.ports"));
  }
  const names = new Set<string>();
  const pairs = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    const name = textAt(port, "name") ?? "";
    if (name === "" && ports.length > 1) causes.push(cause.required(`${path}.name`));
    else if (name !== "" && names.has(name)) causes.push(cause.duplicate(`${path}.name`, name));
    names.add(name);
    const number = numberAt(port, "port") ?? 0;
    if (number < 1 || number > 65_535) {
      causes.push(cause.invalid(`${path}.port`, number, "must be between 1 and 65535, inclusive"));
    }
    const pair = `${number}/${textAt(port, "protocol")}`;
    if (pairs.has(pair)) {
      causes.push(cause.duplicate(path, { port: number, protocol: textAt(port, "protocol") }));
    }
    pairs.add(pair);
  }
  const earlier = textAt(before, "spec", "clusterIP");
  if (earlier !== undefined && spec.type !== "ExternalName" && spec.clusterIP !== earlier) {
    causes.push(cause.invalid("spec.clusterIPs[0]", [spec.clusterIP], "may not change once set"));
  }
  return causes;
}

function validateData(
  resource: ResourceInfo,
  object: JsonObject,
  before: StoredObject | undefined,
): readonly Cause[] {
  const causes: Cause[] = [];
  for (const field of ["data", "binaryData"]) {
    for (const key of Object.keys(objectAt(object, field) ?? {})) {
      if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
        causes.push(
          cause.invalid(
            `${field}[${key}]`,
            key,
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
          ),
        );
      }
    }
  }
  if (before?.immutable === true) {
    for (const field of ["immutable", "data", "binaryData"]) {
      if (!equal(before[field], object[field])) {
        causes.push(cause.forbidden(field, "field is immutable when `immutable` is set"));
      }
    }
  }
  if (resource.id === "/secrets" && before !== undefined && before.type !== object.type) {
    causes.push(cause.invalid("type", object.type, "field is immutable"));
  }
  return causes;
}

function validateClaim(object: JsonObject, before: StoredObject | undefined): readonly Cause[] {
  const causes: Cause[] = [];
  if (listAt(object, "spec", "accessModes").length === 0) {
    causes.push(cause.required("spec.accessModes", "at least 1 access mode is required"));
  }
  if (valueAt(object, "spec", "resources", "requests", "storage") === undefined) {
    causes.push(cause.required("spec.resources[storage]"));
  }
  if (before === undefined) return causes;
  const fixed = (claim: JsonObject) => {
    const {
      resources: _,
      volumeName: __,
      volumeAttributesClassName: ___,
      ...rest
    } = objectAt(claim, "spec") ?? {};
    return rest;
  };
  if (!equal(fixed(before), fixed(object))) {
    causes.push(
      cause.forbidden(
        "spec",
        "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
      ),
    );
  }
  return causes;
}

function validateAutoscaler(spec: JsonObject | undefined): readonly Cause[] {
  const minimum = numberAt(spec, "minReplicas") ?? 1;
  const maximum = numberAt(spec, "maxReplicas") ?? 0;
  if (maximum < 1) return [cause.invalid("spec.maxReplicas", maximum, "must be greater than 0")];
  return maximum < minimum
    ? [cause.invalid("spec.maxReplicas", maximum, "must be greater than or equal to `minReplicas`")]
    : [];
}
