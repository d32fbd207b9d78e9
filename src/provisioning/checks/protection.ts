import { providerAnnotation } from "../../application/names.ts";
import type { ServiceRef } from "../../application/service-ref.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { ProvisioningError } from "../errors.ts";
import { type DataStore, protectedAtStake, readDataStores } from "../objects/protection.ts";
import { canSnapshot } from "../objects/snapshot.ts";
import type { PlanContext } from "../step.ts";
import { snapshotNeeded } from "../steps/snapshot_data_stores.ts";
import type { Check } from "./check.ts";

/** Where the standards demand a last snapshot of what is destroyed, the cluster must be able to take it. */
export const snapshotIsPossible: Check = async (context) => {
  if (context.standards.dataStores.snapshot !== "required") return undefined;
  return snapshotRefusal(context.cluster, await protectedAtStake(context));
};

async function snapshotRefusal(
  cluster: Cluster,
  stores: readonly DataStore[],
): Promise<ProvisioningError | undefined> {
  const elsewhere = stores.find(
    ({ record }) => record?.metadata.annotations?.[providerAnnotation] === "cloudnative-pg",
  );
  if (elsewhere !== undefined) {
    const { message, mend } = snapshotNeeded(
      `the platform takes none of ${elsewhere.name}, which CloudNativePG runs`,
    );
    return new ProvisioningError("refused", message, mend);
  }
  const claims = stores.flatMap((store) => store.claims);
  if (claims.length === 0) return undefined;
  const ability = await canSnapshot(cluster, claims);
  if (ability.possible) return undefined;
  const { message, mend } = snapshotNeeded(ability.reason);
  return new ProvisioningError("refused", message, mend);
}

/**
 * What holds for every operation holds for a rollback that destroys protected data stores.
 * @param stores - names of those that go
 * @throws ProvisioningError `usage` where nobody has named the service, `refused` where a snapshot is demanded and impossible
 */
export async function rollbackMayDestroy(
  stores: readonly string[],
  {
    cluster,
    standards,
    service,
    confirmed,
  }: Pick<PlanContext, "cluster" | "standards"> & {
    readonly service: ServiceRef;
    readonly confirmed: string | undefined;
  },
): Promise<void> {
  if (stores.length === 0) return;
  if (confirmed !== service.name) throw unconfirmed(service.name, stores);
  if (standards.dataStores.snapshot !== "required") return;
  const refusal = await snapshotRefusal(cluster, await readDataStores(cluster, service, stores));
  if (refusal !== undefined) throw refusal;
}

/**
 * Protected data is destroyed only where whoever asks has named the service; not asked of a preview.
 * @throws ProvisioningError `usage`
 */
export async function mustBeConfirmed(context: PlanContext): Promise<void> {
  const { confirmed, request } = context;
  if (confirmed === request.name) return;
  if (context.backups?.operation === "restore") {
    throw new ProvisioningError(
      "usage",
      `a restore puts other data in the place of what ${request.name} has: only who names the service does that`,
      `repeat the command with --confirm ${request.name}`,
    );
  }
  if (context.importing !== undefined) {
    throw new ProvisioningError(
      "usage",
      `an import ends the use of another database for ${request.name}: only who names the service does that`,
      `repeat the command with --confirm ${request.name}`,
    );
  }
  const stores = await protectedAtStake(context);
  if (stores.length > 0)
    throw unconfirmed(
      request.name,
      stores.map(({ name }) => name),
    );
}

function unconfirmed(service: string, stores: readonly string[]): ProvisioningError {
  const verb = stores.length === 1 ? "is" : "are";
  return new ProvisioningError(
    "usage",
    `${stores.join(" and ")} of ${service} ${verb} protected against deletion: only who names the service destroys the data`,
    `repeat the command with --confirm ${service}`,
  );
}
