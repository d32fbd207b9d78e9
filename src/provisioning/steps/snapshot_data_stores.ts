import { StepError } from "../errors.ts";
import { isLiftedBy, protectedAtStake, readDataStores, storesAtStake } from "../objects/protection.ts";
import { canSnapshot, takeSnapshots } from "../objects/snapshot.ts";
import type { Step } from "../step.ts";
import { liftProtection } from "./lift_protection.ts";

/** Takes a last snapshot of protected data stores before they are destroyed, as the standards want it. */
export const snapshotDataStores: Step = {
  id: "snapshot_data_stores",
  title: "Last snapshot",
  needs: ["lift_protection"],
  when: (context) => context.standards.dataStores.snapshot !== "never" && liftProtection.when(context),
  async describe(context) {
    const claims = (await protectedAtStake(context)).flatMap((store) => store.claims);
    if (claims.length === 0) return { effects: [], notes: [], manifests: [] };
    const ability = await canSnapshot(context.cluster, claims);
    const names = claims.map(({ metadata }) => metadata.name).join(", ");
    const note = ability.possible
      ? `a last snapshot of ${names} is taken and kept`
      : `no last snapshot can be taken: ${ability.reason}`;
    return { effects: [], notes: [note], manifests: [] };
  },
  async apply(context) {
    const { cluster, application, run, standards } = context;
    const stores = await readDataStores(cluster, application.metadata, storesAtStake(context));
    // What was not protected has never been used.
    const claims = stores
      .flatMap((store) => store.claims)
      .filter(({ metadata }) => isLiftedBy(run, metadata));
    if (claims.length === 0) return { summary: "nothing to take one of" };
    const ability = await canSnapshot(cluster, claims);
    if (!ability.possible) {
      if (standards.dataStores.snapshot === "required") throw snapshotNeeded(ability.reason);
      return { summary: "none", warnings: [`no last snapshot was taken: ${ability.reason}`] };
    }
    await takeSnapshots(context, claims, ability.classOf);
    return { summary: `of ${claims.map(({ metadata }) => metadata.name).join(", ")}, kept` };
  },
};

/** Why nothing is destroyed where standards demand a snapshot and the cluster can take none. */
export function snapshotNeeded(reason: string): StepError {
  return new StepError(
    "refused",
    `the standards demand a last snapshot, and none can be taken: ${reason}`,
    "have a platform engineer make snapshots possible, or keep the data stores: --data-stores keep",
  );
}
