import type { Cluster, ObjectRef, RequestOptions } from "./cluster.ts";
import { isClusterError } from "./errors.ts";
import type { KubeObject } from "./object.ts";
import type { Resource } from "./resource.ts";

/** Reads an object, or undefined where it is not there (or its kind is not served). @throws ClusterError */
export async function find(
  cluster: Cluster,
  resource: Resource,
  ref: ObjectRef,
  options?: RequestOptions,
): Promise<KubeObject | undefined> {
  try {
    return await cluster.get(resource, ref, options);
  } catch (error) {
    if (isClusterError(error, "not-found")) return undefined;
    throw error;
  }
}
