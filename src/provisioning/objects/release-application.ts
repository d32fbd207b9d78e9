import { applicationFinalizer } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import type { Clock } from "../clock.ts";
import { operatorPresence } from "../operator-presence.ts";

/**
 * The operator holds Applications that have data stores until it has let go of those. Where no operator lives, nobody
 * would: then whoever deletes the Application, or the namespace it is in, takes the operator's hold away.
 * @param leaving - an Application or a namespace that is being deleted
 * @throws ClusterError
 */
export async function releaseApplications(
  cluster: Cluster,
  clock: Clock,
  leaving: KubeObject,
): Promise<void> {
  const held = (await applicationsOf(cluster, leaving)).filter(
    ({ metadata: { deletionTimestamp, finalizers = [] } }) =>
      deletionTimestamp !== undefined && finalizers.includes(applicationFinalizer),
  );
  if (held.length === 0 || (await operatorPresence(cluster, clock)).alive) return;
  await Promise.all(held.map((application) => release(cluster, application)));
}

async function applicationsOf(cluster: Cluster, leaving: KubeObject): Promise<readonly KubeObject[]> {
  if (leaving.kind === resources.applications.kind) return [leaving];
  const { items } = await cluster.listMetadata(resources.applications, { namespace: leaving.metadata.name });
  return items;
}

async function release(cluster: Cluster, { metadata }: KubeObject): Promise<void> {
  const { name, namespace, finalizers = [] } = metadata;
  const path = `/metadata/finalizers/${finalizers.indexOf(applicationFinalizer)}`;
  const body = [
    { op: "test", path, value: applicationFinalizer },
    { op: "remove", path },
  ];
  const ref = { name, ...(namespace === undefined ? {} : { namespace }) };
  try {
    await cluster.patch(resources.applications, ref, { type: "json", body });
  } catch (error) {
    // It is gone, or others have changed its finalizers: the next look sees what is left.
    if (!isClusterError(error, "not-found", "invalid", "conflict")) throw error;
  }
}
