import { labels } from "../application/names.ts";
import { hasOwnNamespace, type ServiceRef } from "../application/service-ref.ts";
import type { Cluster, ListOptions } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { worstProblem } from "../cluster/pod-problem.ts";
import { resources } from "../cluster/resource.ts";

/** Most pods that are read to find out what is wrong with a service. */
const podsRead = 20;

/** Which pods are a service's: all of its own namespace, or of a namespace without services; else those labelled so. */
export function podsOf(service: ServiceRef): Pick<ListOptions, "namespace" | "labelSelector"> {
  const { name, namespace } = service;
  if (name === "" || hasOwnNamespace(service)) return { namespace };
  return { namespace, labelSelector: `${labels.service}=${name}` };
}

/**
 * Why pods of a service are not ready, in the cluster's own words; empty where they do not say, or may not be read.
 * @throws ClusterError where the cluster does not answer
 */
export async function readProblem(
  cluster: Cluster,
  service: ServiceRef,
  signal?: AbortSignal,
): Promise<string> {
  try {
    const { items } = await cluster.list(resources.pods, {
      ...podsOf(service),
      limit: podsRead,
      ...(signal === undefined ? {} : { signal }),
    });
    return worstProblem(items)?.text ?? "";
  } catch (error) {
    if (isClusterError(error, "forbidden", "not-found")) return "";
    throw error;
  }
}
