import type { StoredObject } from "../api.ts";
import { applyCustomDefaults } from "../decode-request.ts";
import { ensureObject, isObject, type JsonObject, listAt, objectAt, textAt } from "../json.ts";
import type { ResourceInfo } from "../resources.ts";
import { defaultPod, defaultPodSpec, fallback } from "./pod.ts";
import { defaultJob, defaultWorkload } from "./workloads.ts";

/**
 * Fills in what a real API server does before it admits an object. Changes `object`; addresses are allotted at
 * admission, because they depend on other objects.
 */
export function applyAllDefaults(
  resource: ResourceInfo,
  object: JsonObject,
  before: StoredObject | undefined,
): void {
  if (resource.custom !== undefined) {
    applyCustomDefaults(resource, object);
    return;
  }
  const spec = objectAt(object, "spec");
  switch (resource.id) {
    case "/namespaces":
      defaultNamespace(object, before);
      return;
    case "/pods":
      defaultPodSpec(ensureObject(object, "spec"));
      if (before === undefined) defaultPod(object);
      return;
    case "/services":
      defaultService(ensureObject(object, "spec"));
      return;
    case "/secrets":
      defaultSecret(object);
      return;
    case "/persistentvolumeclaims":
      fallback(ensureObject(object, "spec"), "volumeMode", "Filesystem");
      return;
    case "/persistentvolumes":
      fallback(ensureObject(object, "spec"), "persistentVolumeReclaimPolicy", "Retain");
      fallback(ensureObject(object, "spec"), "volumeMode", "Filesystem");
      return;
    case "/limitranges":
      defaultLimitRange(object);
      return;
    case "storage.k8s.io/storageclasses":
      fallback(object, "reclaimPolicy", "Delete");
      fallback(object, "volumeBindingMode", "Immediate");
      return;
    case "autoscaling/horizontalpodautoscalers":
      fallback(ensureObject(object, "spec"), "minReplicas", 1);
      return;
    case "networking.k8s.io/networkpolicies":
      if (spec !== undefined) defaultNetworkPolicy(spec);
      return;
    case "rbac.authorization.k8s.io/rolebindings":
    case "rbac.authorization.k8s.io/clusterrolebindings":
      defaultBinding(object);
      return;
    case "rbac.authorization.k8s.io/roles":
    case "rbac.authorization.k8s.io/clusterroles":
      if (object.aggregationRule === undefined) fallback(object, "rules", null);
      return;
    case "apiextensions.k8s.io/customresourcedefinitions":
      defaultDefinition(object);
      return;
    case "discovery.k8s.io/endpointslices":
    case "/endpoints":
      defaultEndpoints(object);
      return;
    case "batch/jobs":
      defaultJob(object, before);
      return;
    default:
      defaultWorkload(resource.id, object);
      return;
  }
}

function defaultNamespace(object: JsonObject, before: StoredObject | undefined): void {
  const metadata = ensureObject(object, "metadata");
  ensureObject(metadata, "labels")["kubernetes.io/metadata.name"] = metadata.name;
  if (before === undefined) {
    const spec = ensureObject(object, "spec");
    const finalizers = new Set([...listAt(spec, "finalizers"), "kubernetes"]);
    spec.finalizers = [...finalizers];
  }
}

function defaultService(spec: JsonObject): void {
  fallback(spec, "type", "ClusterIP");
  fallback(spec, "sessionAffinity", "None");
  const ports = listAt(spec, "ports").filter(isObject);
  for (const port of ports) {
    fallback(port, "protocol", "TCP");
    if (spec.type !== "ExternalName") fallback(port, "targetPort", port.port);
  }
  if (spec.type === "ExternalName") return;
  fallback(spec, "internalTrafficPolicy", "Cluster");
  fallback(spec, "ipFamilies", ["IPv4"]);
  fallback(spec, "ipFamilyPolicy", "SingleStack");
  if (spec.type === "NodePort" || spec.type === "LoadBalancer") {
    fallback(spec, "externalTrafficPolicy", "Cluster");
  }
  if (spec.type === "LoadBalancer") fallback(spec, "allocateLoadBalancerNodePorts", true);
}

function defaultSecret(object: JsonObject): void {
  fallback(object, "type", "Opaque");
  const texts = objectAt(object, "stringData");
  if (texts === undefined) return;
  const data = ensureObject(object, "data");
  for (const [key, value] of Object.entries(texts)) data[key] = Buffer.from(String(value)).toString("base64");
  delete object.stringData;
}

function defaultLimitRange(object: JsonObject): void {
  for (const limit of listAt(object, "spec", "limits").filter(isObject)) {
    if (limit.type !== "Container") continue;
    const defaults = ensureObject(limit, "default");
    for (const [name, value] of Object.entries(objectAt(limit, "max") ?? {})) fallback(defaults, name, value);
    const requests = ensureObject(limit, "defaultRequest");
    for (const [name, value] of Object.entries(defaults)) fallback(requests, name, value);
    for (const [name, value] of Object.entries(objectAt(limit, "min") ?? {})) fallback(requests, name, value);
    if (Object.keys(defaults).length === 0) delete limit.default;
    if (Object.keys(requests).length === 0) delete limit.defaultRequest;
  }
}

function defaultNetworkPolicy(spec: JsonObject): void {
  fallback(spec, "policyTypes", listAt(spec, "egress").length > 0 ? ["Ingress", "Egress"] : ["Ingress"]);
  for (const rule of [...listAt(spec, "ingress"), ...listAt(spec, "egress")]) {
    for (const port of listAt(rule, "ports").filter(isObject)) fallback(port, "protocol", "TCP");
  }
}

function defaultBinding(object: JsonObject): void {
  const group = "rbac.authorization.k8s.io";
  fallback(ensureObject(object, "roleRef"), "apiGroup", group);
  for (const subject of listAt(object, "subjects").filter(isObject)) {
    if (subject.kind === "User" || subject.kind === "Group") fallback(subject, "apiGroup", group);
  }
}

function defaultDefinition(object: JsonObject): void {
  const spec = ensureObject(object, "spec");
  fallback(spec, "conversion", { strategy: "None" });
  const names = ensureObject(spec, "names");
  const kind = textAt(names, "kind") ?? "";
  fallback(names, "singular", kind.toLowerCase());
  fallback(names, "listKind", `${kind}List`);
}

function defaultEndpoints(object: JsonObject): void {
  const ports = [
    ...listAt(object, "ports"),
    ...listAt(object, "subsets").flatMap((subset) => listAt(subset, "ports")),
  ];
  for (const port of ports.filter(isObject)) fallback(port, "protocol", "TCP");
}
