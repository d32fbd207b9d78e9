import type { JsonObject } from "./json.ts";
import type { ResourceInfo } from "./resources.ts";

const withGeneration = new Set([
  "/pods",
  "/replicationcontrollers",
  "apps/deployments",
  "apps/replicasets",
  "apps/statefulsets",
  "apps/daemonsets",
  "batch/jobs",
  "batch/cronjobs",
  "policy/poddisruptionbudgets",
  "networking.k8s.io/networkpolicies",
  "networking.k8s.io/ingresses",
  "networking.k8s.io/ingressclasses",
  "discovery.k8s.io/endpointslices",
  "scheduling.k8s.io/priorityclasses",
  "apiextensions.k8s.io/customresourcedefinitions",
  "admissionregistration.k8s.io/validatingadmissionpolicies",
  "admissionregistration.k8s.io/validatingadmissionpolicybindings",
]);

/** Whether `metadata.generation` counts the changes of the desired state. */
export function hasGeneration(resource: ResourceInfo): boolean {
  return resource.custom !== undefined || withGeneration.has(resource.id);
}

const strictUpdates = new Set([
  "coordination.k8s.io/leases",
  "policy/poddisruptionbudgets",
  "apiextensions.k8s.io/customresourcedefinitions",
  "admissionregistration.k8s.io/validatingadmissionpolicies",
  "admissionregistration.k8s.io/validatingadmissionpolicybindings",
]);

/** Whether a PUT must say which version it changes. */
export function needsVersionToUpdate(resource: ResourceInfo): boolean {
  return resource.custom !== undefined || strictUpdates.has(resource.id);
}

const statusAtStart: Readonly<Record<string, () => JsonObject>> = {
  "/namespaces": () => ({ phase: "Active" }),
  "/pods": () => ({ phase: "Pending", qosClass: "BestEffort" }),
  "/services": () => ({ loadBalancer: {} }),
  "/persistentvolumeclaims": () => ({ phase: "Pending" }),
  "/persistentvolumes": () => ({ phase: "Pending" }),
  "/replicationcontrollers": () => ({ replicas: 0 }),
  "apps/replicasets": () => ({ replicas: 0 }),
  "apps/statefulsets": () => ({ availableReplicas: 0, replicas: 0 }),
  "apps/daemonsets": () => ({
    currentNumberScheduled: 0,
    desiredNumberScheduled: 0,
    numberMisscheduled: 0,
    numberReady: 0,
  }),
  "policy/poddisruptionbudgets": () => ({
    currentHealthy: 0,
    desiredHealthy: 0,
    disruptionsAllowed: 0,
    expectedPods: 0,
  }),
  "autoscaling/horizontalpodautoscalers": () => ({ currentMetrics: null, desiredReplicas: 0 }),
  "networking.k8s.io/ingresses": () => ({ loadBalancer: {} }),
};

/** The status of a new object; undefined where it has none. Only nodes may bring their own. */
export function initialStatus(resource: ResourceInfo, object: JsonObject): unknown {
  if (!resource.subresources.includes("status") || resource.id === "/nodes") return object.status;
  if (resource.custom !== undefined) return undefined;
  return statusAtStart[resource.id]?.() ?? {};
}
