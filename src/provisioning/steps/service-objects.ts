import { labels } from "../../application/names.ts";
import type { ServiceRef } from "../../application/service-ref.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { apiVersionOf, type Resource, resources } from "../../cluster/resource.ts";
import { externalSecretKinds } from "../../secrets/external-secrets.ts";
import { claimsOf, dataStoreNames } from "../objects/namespace-contents.ts";

/** Kinds that guard a namespace: they stay as long as it does. Roles are those of services that older versions made. */
const guardrails: readonly Resource[] = [
  resources.limitRanges,
  resources.resourceQuotas,
  resources.networkPolicies,
  resources.serviceAccounts,
  resources.roles,
  resources.roleBindings,
  resources.guardrails,
];

const workloads: readonly Resource[] = [
  resources.deployments,
  resources.statefulSets,
  resources.jobs,
  resources.services,
  resources.configMaps,
  resources.secrets,
  ...externalSecretKinds,
  resources.podDisruptionBudgets,
  resources.horizontalPodAutoscalers,
  resources.ingresses,
  resources.httpRoutes,
  resources.certificates,
  resources.dnsEndpoints,
  resources.peerAuthentications,
  resources.serviceMonitors,
  resources.prometheusRules,
];

/** Every kind of which a service has objects in its namespace, volume claims apart: those are made by their StatefulSets. */
export const platformKinds: readonly Resource[] = [resources.applications, ...workloads, ...guardrails];

/** Everything of a service in its namespace that the platform made, by what a deletion does with it. */
export interface ServiceObjects {
  /** Application, workload, monitoring and network. */
  readonly workload: readonly KubeObject[];
  /** StatefulSets, their Services, ConfigMaps and Secrets. */
  readonly dataStores: readonly KubeObject[];
  /** Volume claims of the data stores: their data. */
  readonly claims: readonly KubeObject[];
  /** Quota, policies, rights. */
  readonly guardrails: readonly KubeObject[];
}

async function labelled(cluster: Cluster, resource: Resource, { name, namespace }: ServiceRef) {
  if (!(await cluster.serves(resource))) return [];
  try {
    const { items } = await cluster.listMetadata(resource, {
      namespace,
      labelSelector: `${labels.managed}=true,${labels.service}=${name}`,
    });
    return items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map((item): KubeObject => ({ ...item, apiVersion: apiVersionOf(resource), kind: resource.kind }));
  } catch (error) {
    if (isClusterError(error, "not-found")) return [];
    throw error;
  }
}

/** By its name: one that somebody applied carries no labels of ours. */
async function applicationOf(
  cluster: Cluster,
  { name, namespace }: ServiceRef,
): Promise<readonly KubeObject[]> {
  if (!(await cluster.serves(resources.applications))) return [];
  const found = await find(cluster, resources.applications, { name, namespace });
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return [];
  const { kind } = resources.applications;
  return [{ ...found, apiVersion: apiVersionOf(resources.applications), kind }];
}

function isDataStore({ metadata }: KubeObject): boolean {
  const component = metadata.labels?.[labels.component];
  return component === "database" || component === "cache";
}

/** Finds by label and UID what a deletion of the service may touch; what controllers made goes with its owner. */
export async function serviceObjects(cluster: Cluster, service: ServiceRef): Promise<ServiceObjects> {
  const [application, made, guards, claims] = await Promise.all([
    applicationOf(cluster, service),
    Promise.all(workloads.map((resource) => labelled(cluster, resource, service))),
    Promise.all(guardrails.map((resource) => labelled(cluster, resource, service))),
    Promise.all(dataStoreNames(service.name).map((name) => claimsOf(cluster, service.namespace, name))),
  ]);
  const all = [...application, ...made.flat()];
  return {
    workload: all.filter((object) => !isDataStore(object)),
    dataStores: all.filter(isDataStore),
    claims: claims.flat(),
    guardrails: guards.flat(),
  };
}
