import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { worstProblem } from "../cluster/pod-problem.ts";
import { resources } from "../cluster/resource.ts";

/** Most pods that are read to find out what is wrong with a service. */
const podsRead = 20;

/**
 * Why pods of a namespace are not ready, in the cluster's own words; empty where they do not say, or may not be read.
 * @throws ClusterError where the cluster does not answer
 */
export async function readProblem(
  cluster: Cluster,
  namespace: string,
  signal?: AbortSignal,
): Promise<string> {
  try {
    const { items } = await cluster.list(resources.pods, {
      namespace,
      limit: podsRead,
      ...(signal === undefined ? {} : { signal }),
    });
    return worstProblem(items)?.text ?? "";
  } catch (error) {
    if (isClusterError(error, "forbidden", "not-found")) return "";
    throw error;
  }
}
