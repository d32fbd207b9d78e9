import { apply, type Cluster } from "../cluster/cluster.ts";
import { conditionsOf, holds } from "../cluster/conditions.ts";
import { find } from "../cluster/find.ts";
import { resourceOf, resources } from "../cluster/resource.ts";
import type { Clock } from "../provisioning/clock.ts";
import { ProvisioningError } from "../provisioning/errors.ts";
import { refOf } from "../provisioning/objects.ts";
import { systemNamespaceObject } from "./namespace.ts";
import { runType } from "./types.ts";

/** Longest time the API server may take to serve Runs, in milliseconds. */
const servedWithin = 30_000;

/**
 * Writes what an installation's own run needs before there can be one: the resource type Run and `platform-system`.
 * Again it changes nothing. No rollback takes it back, because the journal is a Run.
 * @throws ProvisioningError `refused` where Runs are not served in time; ClusterError
 */
export async function bootstrap(
  cluster: Cluster,
  clock: Clock,
  { version }: { readonly version?: string },
): Promise<void> {
  const namespace = systemNamespaceObject(version);
  await Promise.all([runType, namespace].map((object) => apply(cluster, resourceOf(object), object)));
  const deadline = clock.now().getTime() + servedWithin;
  for (;;) {
    const type = await find(cluster, resources.customResourceDefinitions, refOf(runType));
    const established = type !== undefined && holds(conditionsOf(type), "Established");
    if (established && (await cluster.serves(resources.runs, { refresh: true }))) return;
    if (clock.now().getTime() >= deadline) {
      throw new ProvisioningError(
        "refused",
        `the cluster of ${cluster.context} took the resource type Run but does not serve it after ${servedWithin / 1_000} s`,
        `see kubectl describe crd ${runType.metadata.name}, then run platform install again`,
      );
    }
    await clock.sleep(200);
  }
}
