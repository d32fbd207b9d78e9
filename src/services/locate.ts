import { hasOwnNamespace, type ServiceRef } from "../application/service-ref.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { everyPage } from "../cluster/every-page.ts";
import { resources } from "../cluster/resource.ts";

/**
 * The Applications that share a namespace with others, by namespace: all, or those of a name. None where one may not list
 * them, or where the cluster has no such kind.
 * @throws ClusterError where the cluster does not answer
 */
export async function sharingServices(cluster: Cluster, name?: string): Promise<readonly ServiceRef[]> {
  const selection = name === undefined ? {} : { fieldSelector: `metadata.name=${name}` };
  try {
    const found = await everyPage(
      (page) => cluster.listMetadata(resources.applications, { ...selection, ...page }),
      ({ items }) => items.map(({ metadata }) => ({ namespace: "", ...metadata })),
    );
    return found
      .map(({ name, namespace }) => ({ name, namespace }))
      .filter((service) => !hasOwnNamespace(service))
      .sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  } catch (error) {
    if (isClusterError(error, "forbidden", "not-found")) return [];
    throw error;
  }
}
