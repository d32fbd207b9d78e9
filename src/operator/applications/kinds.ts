import { apiVersionOf, type Resource, resources } from "../../cluster/resource.ts";

/**
 * Kinds that an Application or a managed namespace may consist of, all watched by the platform's label. Secrets are
 * not among them: they are never listed across namespaces.
 */
export const childKinds: readonly Resource[] = [
  resources.deployments,
  resources.statefulSets,
  resources.services,
  resources.serviceAccounts,
  resources.configMaps,
  resources.podDisruptionBudgets,
  resources.horizontalPodAutoscalers,
  resources.networkPolicies,
  resources.limitRanges,
  resources.resourceQuotas,
  resources.roleBindings,
  resources.guardrails,
  resources.serviceMonitors,
  resources.prometheusRules,
  resources.httpRoutes,
  resources.certificates,
  resources.dnsEndpoints,
  resources.peerAuthentications,
];

/** Identifies a kind: `apps/v1 Deployment`. */
export function kindOf(resource: Pick<Resource, "group" | "version" | "kind">): string {
  return `${apiVersionOf(resource)} ${resource.kind}`;
}
