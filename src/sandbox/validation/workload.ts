import type { StoredObject } from "../api.ts";
import { equal, isObject, type JsonObject, listAt, numberAt, objectAt, textAt } from "../json.ts";
import type { ResourceInfo } from "../resources.ts";
import { type Cause, cause } from "../status.ts";
import { labelProblems, validateLabels } from "./metadata.ts";

/** Deployments, StatefulSets, Jobs and their kin; nothing for other kinds. */
export function validateWorkload(
  resource: ResourceInfo,
  object: JsonObject,
  before: StoredObject | undefined,
): readonly Cause[] {
  if (!["apps", "batch"].includes(resource.group) || resource.plural === "controllerrevisions") return [];
  const spec = objectAt(object, "spec") ?? {};
  if (resource.plural === "cronjobs") {
    return textAt(spec, "schedule") ? [] : [cause.required("spec.schedule")];
  }
  const causes: Cause[] = [];
  const replicas = numberAt(spec, "replicas");
  if (replicas !== undefined && replicas < 0) {
    causes.push(cause.invalid("spec.replicas", replicas, "must be greater than or equal to 0"));
  }
  const selector = objectAt(spec, "selector");
  const labels = objectAt(spec, "template", "metadata", "labels") ?? {};
  if (resource.plural !== "jobs") causes.push(...validateSelector(selector, labels));
  causes.push(...validateLabels(labels, "spec.template.labels"));
  const claims = listAt(spec, "volumeClaimTemplates").map((claim) =>
    textAt(objectAt(claim, "metadata"), "name"),
  );
  causes.push(...validatePodSpec(objectAt(spec, "template", "spec"), "spec.template.spec", claims));
  const restart = textAt(spec, "template", "spec", "restartPolicy");
  if (resource.plural === "jobs" && restart === "Always") {
    causes.push({
      ...cause.required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'),
    });
  } else if (resource.plural !== "jobs" && restart !== undefined && restart !== "Always") {
    causes.push(cause.unsupported("spec.template.spec.restartPolicy", restart, ["Always"]));
  }
  if (before !== undefined) causes.push(...validateChange(resource, spec, objectAt(before, "spec") ?? {}));
  return causes;
}

const mismatch = "`selector` does not match template `labels`";

function validateSelector(selector: JsonObject | undefined, labels: JsonObject): readonly Cause[] {
  if (selector === undefined) {
    const shown = Object.keys(labels).length === 0 ? null : labels;
    const unmatched = cause.invalid("spec.template.metadata.labels", shown, mismatch);
    return [cause.required("spec.selector"), unmatched];
  }
  const wanted = Object.entries(objectAt(selector, "matchLabels") ?? {});
  if (wanted.length === 0 && listAt(selector, "matchExpressions").length === 0) {
    return [cause.invalid("spec.selector", selector, "empty selector is invalid for deployment")];
  }
  return wanted.every(([key, value]) => labels[key] === value)
    ? []
    : [cause.invalid("spec.template.metadata.labels", labels, mismatch)];
}

const changeable: Readonly<Record<string, readonly string[]>> = {
  statefulsets: [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
  ],
};

function validateChange(resource: ResourceInfo, spec: JsonObject, earlier: JsonObject): readonly Cause[] {
  const allowed = changeable[resource.plural];
  if (allowed !== undefined) {
    const fixed = (value: JsonObject) =>
      Object.fromEntries(Object.entries(value).filter(([field]) => !allowed.includes(field)));
    return equal(fixed(spec), fixed(earlier))
      ? []
      : [
          cause.forbidden(
            "spec",
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
          ),
        ];
  }
  const causes: Cause[] = [];
  if (!equal(spec.selector, earlier.selector)) {
    causes.push(cause.invalid("spec.selector", spec.selector, "field is immutable"));
  }
  if (resource.plural === "jobs" && !equal(spec.template, earlier.template)) {
    causes.push(cause.invalid("spec.template", spec.template, "field is immutable"));
  }
  return causes;
}

/** A pod's spec, of a pod or of a template. `claims` are volumes that come from a StatefulSet's claim templates. */
export function validatePodSpec(
  spec: JsonObject | undefined,
  path: string,
  claims: readonly (string | undefined)[] = [],
): readonly Cause[] {
  const containers = listAt(spec, "containers");
  if (spec === undefined || containers.length === 0) return [cause.required(`${path}.containers`)];
  const causes: Cause[] = [];
  const names = new Set<string>();
  const volumes = new Set([...listAt(spec, "volumes").map((volume) => textAt(volume, "name")), ...claims]);
  for (const field of ["initContainers", "containers"]) {
    for (const [index, container] of listAt(spec, field).entries()) {
      if (isObject(container))
        causes.push(...validateContainer(container, `${path}.${field}[${index}]`, names, volumes));
    }
  }
  return causes;
}

function validateContainer(
  container: JsonObject,
  path: string,
  names: Set<string>,
  volumes: ReadonlySet<string | undefined>,
): readonly Cause[] {
  const causes: Cause[] = [];
  const name = textAt(container, "name") ?? "";
  // An empty name is reported by the type's required fields.
  if (name !== "")
    causes.push(...labelProblems(name).map((problem) => cause.invalid(`${path}.name`, name, problem)));
  if (names.has(name)) causes.push(cause.duplicate(`${path}.name`, name));
  names.add(name);
  if (!textAt(container, "image")) causes.push(cause.required(`${path}.image`));
  for (const [index, port] of listAt(container, "ports").entries()) {
    const number = numberAt(port, "containerPort");
    if (number === 0) causes.push(cause.required(`${path}.ports[${index}].containerPort`));
    else if (number !== undefined && (number < 1 || number > 65_535)) {
      causes.push(
        cause.invalid(
          `${path}.ports[${index}].containerPort`,
          number,
          "must be between 1 and 65535, inclusive",
        ),
      );
    }
    const portName = textAt(port, "name");
    if (
      portName !== undefined &&
      (portName.length > 15 || !/^(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(portName))
    ) {
      const problem =
        portName.length > 15
          ? "must be no more than 15 characters"
          : "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
      causes.push(cause.invalid(`${path}.ports[${index}].name`, portName, problem));
    }
  }
  for (const [index, mount] of listAt(container, "volumeMounts").entries()) {
    const volume = textAt(mount, "name");
    if (!volumes.has(volume)) {
      causes.push({
        reason: "FieldValueNotFound",
        message: `Not found: ${JSON.stringify(volume)}`,
        field: `${path}.volumeMounts[${index}].name`,
      });
    }
  }
  return causes;
}
