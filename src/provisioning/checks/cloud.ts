import { isInCloud, type StoreKind, storeKinds } from "../../application/store-provider.ts";
import { isTerraformError } from "../../terraform/error.ts";
import { type CloudStore, newCloudStore } from "../data-stores/cloud-store.ts";
import { recordedStore } from "../data-stores/in-cloud.ts";
import { recordedStores } from "../data-stores/known-store.ts";
import { ProvisioningError, StepError } from "../errors.ts";
import { storesAtStake } from "../objects/protection.ts";
import { movedStore } from "../steps/data-store.ts";
import type { Check, CheckContext } from "./check.ts";

/** Data stores outside of the cluster that an operation makes. */
function given({ application, previous, change }: CheckContext) {
  if (change.after === undefined) return [];
  return storeKinds.filter(
    (store) => isInCloud(application.spec, store) && previous?.spec[store] === undefined,
  );
}

/** Where data stores outside of the cluster are made or removed, whoever executes that must be able to. */
export const cloudIsWithinReach: Check = async (context) => {
  const { cloud, cluster, application } = context;
  const gone = storesAtStake(context);
  const removed = await recordedStores(cluster, application.metadata.namespace, gone);
  const wanted = given(context);
  const source = await restoredStore(context);
  if (wanted.length === 0 && removed.length === 0 && source.length === 0) return undefined;
  try {
    const made = wanted.flatMap((store) => possible(context, store));
    await cloud.check({ made: [...made, ...source], removed });
  } catch (error) {
    if (!isTerraformError(error) && !(error instanceof StepError)) throw error;
    return new ProvisioningError("refused", error.message, error.mend, error);
  }
  return undefined;
};

/** What a restore to a moment makes another one of. */
async function restoredStore(context: CheckContext): Promise<readonly CloudStore[]> {
  if (context.backups?.toTime === undefined) return [];
  const store = await recordedStore(context, "database");
  return store === undefined ? [] : [store];
}

/** None where the standards do not let it be made: {@link storesMayBeMade} tells that. */
function possible({ application, standards }: CheckContext, store: StoreKind): readonly CloudStore[] {
  try {
    return [newCloudStore(application, standards, store, "")];
  } catch (error) {
    if (error instanceof StepError) return [];
    throw error;
  }
}

/** What is made must be possible by the standards, and what was kept stays where it runs. */
export const storesMayBeMade: Check = async (context) => {
  try {
    for (const store of given(context)) newCloudStore(context.application, context.standards, store, "");
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    return new ProvisioningError("refused", error.message, error.mend, error);
  }
  const moved = await movedStore(context);
  return moved && new ProvisioningError("usage", moved.message, moved.mend, moved);
};
