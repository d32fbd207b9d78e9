import type { Cluster } from "../cluster/cluster.ts";
import { conditionsOf, holds } from "../cluster/conditions.ts";
import { find } from "../cluster/find.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import type { Clock } from "../provisioning/clock.ts";
import { ProvisioningError } from "../provisioning/errors.ts";
import { refOf } from "../provisioning/objects/objects.ts";

/** Longest time the API server may take to serve a new resource type, in milliseconds. */
const servedWithin = 30_000;

/**
 * Waits until resource types that were written are served.
 * @throws ProvisioningError `refused` where that takes too long; ClusterError
 */
export async function untilServed(
  cluster: Cluster,
  clock: Clock,
  types: readonly KubeObject[],
  signal?: AbortSignal,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const deadline = clock.now().getTime() + servedWithin;
  const own = [resources.runs, resources.applications, resources.standards, resources.guardrails].filter(
    ({ plural, group }) => types.some(({ metadata }) => metadata.name === `${plural}.${group}`),
  );
  for (;;) {
    const found = await Promise.all(
      types.map((type) => find(cluster, resources.customResourceDefinitions, refOf(type), options)),
    );
    const missing = types.filter((_, index) => {
      const type = found[index];
      return type === undefined || !holds(conditionsOf(type), "Established");
    });
    if (missing.length === 0 && (await areServed(cluster, own, options))) return;
    if (clock.now().getTime() >= deadline) {
      const { name } = (missing[0] ?? types[0])?.metadata ?? { name: "" };
      throw new ProvisioningError(
        "refused",
        `the cluster of ${cluster.context} took the resource types but does not serve them after ${servedWithin / 1_000} s`,
        `see kubectl describe crd ${name}, then run platform install again`,
      );
    }
    await clock.sleep(50, signal);
  }
}

/** Discovery is asked once for all of them: they are of one group. */
async function areServed(
  cluster: Cluster,
  [first, ...others]: readonly (typeof resources)[keyof typeof resources][],
  options: { readonly signal?: AbortSignal },
): Promise<boolean> {
  if (first === undefined || !(await cluster.serves(first, { ...options, refresh: true }))) return false;
  return (await Promise.all(others.map((resource) => cluster.serves(resource, options)))).every(Boolean);
}
