import type { StoredObject } from "../api.ts";
import { isObject, type JsonObject, listAt, objectAt, textAt } from "../json.ts";
import type { ResourceInfo } from "../resources.ts";
import { type Cause, cause } from "../status.ts";

const label = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dns1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

export const texts = {
  subdomain:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  dnsLabel:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  dns1035:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
  labelValue:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
  qualifiedName:
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
} as const;

const longest = (limit: number) => `must be no more than ${limit} characters`;

/** What is wrong with a DNS-1123 label. */
export function labelProblems(value: string): readonly string[] {
  return [...(value.length > 63 ? [longest(63)] : []), ...(dnsLabel.test(value) ? [] : [texts.dnsLabel])];
}

function nameProblems(resource: ResourceInfo, name: string): readonly string[] {
  if (resource.group === "rbac.authorization.k8s.io") {
    return /[/%]/.test(name) || name === "." || name === ".." ? [`may not contain '/' or '%'`] : [];
  }
  if (resource.id === "/namespaces")
    return name.includes(".") ? ["must not contain dots"] : labelProblems(name);
  if (resource.id === "/services") {
    return [...(name.length > 63 ? [longest(63)] : []), ...(dns1035.test(name) ? [] : [texts.dns1035])];
  }
  return [...(name.length > 253 ? [longest(253)] : []), ...(subdomain.test(name) ? [] : [texts.subdomain])];
}

/** Labels as they stand in metadata, a template or a selector. */
export function validateLabels(labels: unknown, field: string): readonly Cause[] {
  if (!isObject(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => [
    ...keyProblems(key).map((problem) => cause.invalid(field, key, problem)),
    ...(typeof value === "string" && value.length > 63 ? [cause.invalid(field, value, longest(63))] : []),
    ...(typeof value === "string" && label.test(value)
      ? []
      : [cause.invalid(field, value, texts.labelValue)]),
  ]);
}

function keyProblems(key: string): readonly string[] {
  const parts = key.split("/");
  const name = parts.at(-1) ?? "";
  if (parts.length > 2) return [`a qualified name ${texts.qualifiedName}`];
  const problems: string[] = [];
  if (parts.length === 2 && !subdomain.test(parts[0] ?? "")) problems.push(`prefix part ${texts.subdomain}`);
  if (name === "") problems.push("name part must be non-empty");
  if (name.length > 63) problems.push(`name part ${longest(63)}`);
  if (name !== "" && !label.test(name)) problems.push(texts.qualifiedName);
  return problems;
}

/** Names, labels, annotations, owners and finalizers. */
export function validateMetadata(
  resource: ResourceInfo,
  object: JsonObject,
  before: StoredObject | undefined,
): readonly Cause[] {
  const name = textAt(object, "metadata", "name") ?? "";
  const causes: Cause[] = [];
  if (before === undefined) {
    causes.push(
      ...nameProblems(resource, name).map((problem) => cause.invalid("metadata.name", name, problem)),
    );
  }
  causes.push(...validateLabels(objectAt(object, "metadata", "labels"), "metadata.labels"));
  const annotations = Object.entries(objectAt(object, "metadata", "annotations") ?? {});
  for (const [key] of annotations) {
    for (const problem of keyProblems(key.toLowerCase())) {
      causes.push(cause.invalid("metadata.annotations", key, problem));
    }
  }
  const size = annotations.reduce((sum, [key, value]) => sum + key.length + String(value).length, 0);
  if (size > 262_144) causes.push(cause.tooLong("metadata.annotations", 262_144));
  causes.push(...validateOwners(object));
  if (before?.metadata.deletionTimestamp !== undefined) {
    const earlier = before.metadata.finalizers ?? [];
    const added = listAt(object, "metadata", "finalizers").filter(
      (finalizer) => typeof finalizer === "string" && !earlier.includes(finalizer),
    );
    if (added.length > 0) {
      causes.push(
        cause.forbidden(
          "metadata.finalizers",
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((text) => JSON.stringify(text)).join(", ")}}`,
        ),
      );
    }
  }
  return causes;
}

function validateOwners(object: JsonObject): readonly Cause[] {
  const owners = listAt(object, "metadata", "ownerReferences");
  const causes = owners.flatMap((owner, index) =>
    (["apiVersion", "kind", "name", "uid"] as const)
      .filter((field) => !textAt(owner, field))
      .map((field) =>
        cause.invalid(`metadata.ownerReferences[${index}].${field}`, "", `${field} must not be empty`),
      ),
  );
  const controllers = owners.filter((owner) => isObject(owner) && owner.controller === true);
  if (controllers.length > 1) {
    causes.push(
      cause.invalid(
        "metadata.ownerReferences",
        owners,
        `Only one reference can have Controller set to true. Found "true" in references for ${controllers
          .map((owner) => `${textAt(owner, "kind")}/${textAt(owner, "name")}`)
          .join(" and ")}`,
      ),
    );
  }
  return causes;
}
