import { apply, type Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { find } from "../cluster/find.ts";
import { resourceOf, resources } from "../cluster/resource.ts";
import type { Clock } from "../provisioning/clock.ts";
import { write } from "../provisioning/write.ts";
import { type Standards, standardsName, standardsSchema } from "../standards/standards.ts";
import { installationObjects, standardsObject } from "./objects.ts";
import { untilServed } from "./served.ts";

/** What {@link installDirectly} takes. */
export interface DirectInstallation {
  /** Left out: those of the cluster are kept; a cluster without any gets the defaults. */
  readonly standards?: Standards;
  readonly clock: Clock;
}

/** How long the embedded cluster may take to serve what the standards bring, in milliseconds. */
const servedWithin = 5_000;

/** How often standards are written before who else writes them has it. */
const attempts = 5;

/**
 * Writes resource types, `platform-system`, standards and rights at once, without a run: for the embedded cluster, which
 * has the platform from the start. No guardrails, and no operator. Again it changes nothing.
 * @throws ProvisioningError where the types are not served in time; ClusterError
 */
export async function installDirectly(
  cluster: Cluster,
  { standards, clock }: DirectInstallation,
): Promise<void> {
  const wanted = standards ?? standardsSchema.parse({});
  const { types, namespace, rights } = installationObjects({ standards: wanted });
  await Promise.all([...types, ...namespace].map((object) => apply(cluster, resourceOf(object), object)));
  await untilServed(cluster, clock, types);
  const places = rights.filter(({ kind }) => kind === "Namespace");
  await Promise.all(places.map((object) => apply(cluster, resourceOf(object), object)));
  await Promise.all([
    writeStandards(cluster, wanted, standards !== undefined),
    ...rights.map((object) => apply(cluster, resourceOf(object), object)),
  ]);
  if (wanted.database.cloudnativepg !== undefined) await untilThere(cluster, clock);
}

/** The embedded cluster has a CloudNativePG of its own, from when the standards have it; elsewhere it may be missing. */
async function untilThere(cluster: Cluster, clock: Clock): Promise<void> {
  for (const deadline = clock.now().getTime() + servedWithin; clock.now().getTime() < deadline; ) {
    if (await cluster.serves(resources.postgresClusters, { refresh: true })) return;
    await clock.sleep(50);
  }
}

async function writeStandards(cluster: Cluster, standards: Standards, replace: boolean): Promise<void> {
  const object = standardsObject(standards);
  for (let left = attempts; ; left -= 1) {
    const existing = await find(cluster, resources.standards, { name: standardsName });
    if (existing !== undefined && !replace) return;
    try {
      await write(cluster, object, existing);
      return;
    } catch (error) {
      // Somebody else wrote them meanwhile; the last decides, as with everything that is applied.
      if (left === 1 || !isClusterError(error, "conflict")) throw error;
    }
  }
}
