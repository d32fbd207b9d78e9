import { labels } from "../../application/names.ts";
import type { Cluster, ObjectRef } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import type { ObjectMeta } from "../../cluster/object.ts";
import { type Resource, resources } from "../../cluster/resource.ts";
import { externalSecretKinds } from "../../secrets/external-secrets.ts";
import { StepError } from "../errors.ts";
import { isClaimOf, isSecretOf } from "../objects/namespace-contents.ts";
import { guardsAgainst } from "../objects/protection.ts";

/** Of ConfigMaps those alone are ever protected that say where a data store outside of the cluster is. */
const holdsData: readonly Resource[] = [
  resources.statefulSets,
  resources.persistentVolumeClaims,
  resources.configMaps,
];

/** Secrets, and by whose deletion a password goes from where it is kept. */
const credentialKinds: readonly Resource[] = [resources.secrets, ...externalSecretKinds];

/**
 * The cluster as a run's steps and compensations may use it: no delete reaches a protected data store, its
 * credentials or its namespace unless this run has lifted the protection, whatever asks for it.
 * @param cluster - one of plain methods, as {@link clusterForStep} makes it
 */
export function guarded(cluster: Cluster, run: string): Cluster {
  async function guardsIn(namespace: string): Promise<readonly ObjectMeta[]> {
    const lists = await Promise.all(
      holdsData.map(async (resource) => {
        try {
          return (await cluster.listMetadata(resource, { namespace })).items;
        } catch (error) {
          if (isClusterError(error, "not-found")) return [];
          throw error;
        }
      }),
    );
    return lists
      .flat()
      .map(({ metadata }) => metadata)
      .filter((metadata) => guardsAgainst(run, metadata));
  }

  /** What stands in the way of a delete. */
  async function guardsOf(
    resource: Resource,
    { name, namespace }: ObjectRef,
  ): Promise<readonly ObjectMeta[]> {
    if (resource.kind === resources.namespaces.kind) return guardsIn(name);
    if (namespace === undefined) return [];
    if (holdsData.some(({ kind }) => kind === resource.kind)) {
      const found = await find(cluster, resource, { name, namespace });
      return found !== undefined && guardsAgainst(run, found.metadata) ? [found.metadata] : [];
    }
    if (!credentialKinds.some(({ kind }) => kind === resource.kind)) return [];
    // Without its password the data cannot be reached any more.
    const stores = await guardsIn(namespace);
    return stores.filter(
      (store) =>
        isSecretOf(name, store.name) ||
        isClaimOf(store.name, name) ||
        isClaimOf(store.name, name.replace(/-admin$/, "")),
    );
  }

  return {
    ...cluster,
    async delete(resource, ref, options) {
      const [guard] = await guardsOf(resource, ref);
      if (guard !== undefined) {
        const service = guard.labels?.[labels.service] ?? "the service";
        throw new StepError(
          "refused",
          `${guard.name} of ${service} is protected against deletion, and this run has not lifted that; ${resource.kind} ${ref.name} was left as it is`,
          "data stores are destroyed only by who names the service: --data-stores delete --confirm NAME",
        );
      }
      return cluster.delete(resource, ref, options);
    },
  };
}
