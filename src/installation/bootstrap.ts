import { apply, type Cluster } from "../cluster/cluster.ts";
import { resourceOf } from "../cluster/resource.ts";
import type { Clock } from "../provisioning/clock.ts";
import { systemNamespaceObject } from "./namespace.ts";
import { untilServed } from "./served.ts";
import { runType } from "./types.ts";

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
  const objects = [runType, systemNamespaceObject(version)];
  await Promise.all(objects.map((object) => apply(cluster, resourceOf(object), object)));
  await untilServed(cluster, clock, [runType]);
}
