import { allotAddress } from "./addresses.ts";
import type { StoredObject } from "./api.ts";
import { ensureObject, isObject, type JsonObject, listAt, objectAt, textAt } from "./json.ts";
import { applyLimitRanges, chargeQuota } from "./limits.ts";
import type { Registry, WriteContext } from "./registry.ts";
import type { ResourceInfo } from "./resources.ts";
import { failures } from "./status.ts";

const permanent = new Set(["default", "kube-system", "kube-public"]);

/**
 * Admission of a create (`before` undefined), an update or a delete (`object` undefined), as the default plugins of a
 * real API server do it. May change `object`.
 * @throws ApiFailure 403 or 404.
 */
export function admit(
  registry: Registry,
  resource: ResourceInfo,
  object: JsonObject | undefined,
  before: StoredObject | undefined,
  context: WriteContext,
): void {
  const name = (object === undefined ? before?.metadata.name : textAt(object, "metadata", "name")) ?? "";
  const subject = { group: resource.group, plural: resource.plural, name };
  if (object === undefined) {
    if (resource.id === "/namespaces" && permanent.has(name)) {
      throw failures.forbidden(subject, "this namespace may not be deleted");
    }
    return;
  }
  const namespace = textAt(object, "metadata", "namespace");
  if (before === undefined && resource.namespaced) requireNamespace(registry, namespace ?? "", subject);
  if (resource.id === "/services") allotAddress(registry, object, before);
  if (before !== undefined || namespace === undefined) return;
  switch (resource.id) {
    case "/pods":
      requireServiceAccount(registry, namespace, object, subject);
      applyLimitRanges(registry, namespace, object, subject);
      break;
    case "/persistentvolumeclaims":
      defaultStorageClass(registry, object);
      break;
    default:
  }
  chargeQuota(registry, resource, namespace, object, subject, context);
}

type Subject = { readonly group: string; readonly plural: string; readonly name: string };

function requireNamespace(registry: Registry, namespace: string, subject: Subject): void {
  const found = registry.store.get("/namespaces", namespace);
  if (found === undefined) {
    throw failures.notFound({ group: "", plural: "namespaces", name: namespace });
  }
  if (!found.includes('"deletionTimestamp"')) return;
  const parsed: unknown = JSON.parse(found);
  if (textAt(parsed, "metadata", "deletionTimestamp") === undefined) return;
  throw failures.forbidden(
    subject,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [
      {
        reason: "NamespaceTerminating",
        message: `namespace ${namespace} is being terminated`,
        field: "metadata.namespace",
      },
    ],
  );
}

function requireServiceAccount(
  registry: Registry,
  namespace: string,
  pod: JsonObject,
  subject: Subject,
): void {
  const name = textAt(pod, "spec", "serviceAccountName") ?? "default";
  const found = registry.store.get("/serviceaccounts", `${namespace}/${name}`);
  if (found === undefined) {
    throw failures.forbidden(
      subject,
      `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
    );
  }
  const account: unknown = JSON.parse(found);
  const secrets = listAt(account, "imagePullSecrets");
  const spec = ensureObject(pod, "spec");
  if (secrets.length > 0 && listAt(spec, "imagePullSecrets").length === 0)
    spec.imagePullSecrets = [...secrets];
}

function defaultStorageClass(registry: Registry, claim: JsonObject): void {
  const spec = ensureObject(claim, "spec");
  if (spec.storageClassName !== undefined) return;
  for (const row of registry.store.rows("storage.k8s.io/storageclasses", { part: "meta" })) {
    const meta: unknown = JSON.parse(row.meta);
    const annotations = objectAt(meta, "annotations") ?? {};
    if (annotations["storageclass.kubernetes.io/is-default-class"] === "true") {
      spec.storageClassName = textAt(meta, "name");
      return;
    }
  }
}

/** What every new namespace has from the start: its ServiceAccount and the cluster's certificate authority. */
export function namespaceContent(
  namespace: JsonObject,
): readonly { readonly resource: string; readonly object: JsonObject }[] {
  const name = textAt(namespace, "metadata", "name") ?? "";
  if (!isObject(namespace.metadata)) return [];
  return [
    {
      resource: "/serviceaccounts",
      object: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: name } },
    },
    {
      resource: "/configmaps",
      object: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name: "kube-root-ca.crt",
          namespace: name,
          annotations: {
            "kubernetes.io/description":
              "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc.",
          },
        },
        data: { "ca.crt": "simulated: the sandbox has no certificate authority\n" },
      },
    },
  ];
}
