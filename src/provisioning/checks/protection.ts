import { ProvisioningError } from "../errors.ts";
import { protectedAtStake } from "../protection.ts";
import { canSnapshot } from "../snapshot.ts";
import type { PlanContext } from "../step.ts";
import { snapshotNeeded } from "../steps/snapshot_data_stores.ts";
import type { Check } from "./check.ts";

/** Where the standards demand a last snapshot of what is destroyed, the cluster must be able to take it. */
export const snapshotIsPossible: Check = async (context) => {
  if (context.standards.dataStores.snapshot !== "required") return undefined;
  const claims = (await protectedAtStake(context)).flatMap((store) => store.claims);
  if (claims.length === 0) return undefined;
  const ability = await canSnapshot(context.cluster, claims);
  if (ability.possible) return undefined;
  const { message, mend } = snapshotNeeded(ability.reason);
  return new ProvisioningError("refused", message, mend);
};

/**
 * Protected data is destroyed only where whoever asks has named the service; not asked of a preview.
 * @throws ProvisioningError `usage`
 */
export async function mustBeConfirmed(context: PlanContext): Promise<void> {
  const { confirmed, request } = context;
  if (confirmed === request.name) return;
  const stores = await protectedAtStake(context);
  if (stores.length > 0)
    throw unconfirmed(
      request.name,
      stores.map(({ name }) => name),
    );
}

/** The refusal to destroy protected data stores that nobody has confirmed by naming the service. */
export function unconfirmed(service: string, stores: readonly string[]): ProvisioningError {
  const verb = stores.length === 1 ? "is" : "are";
  return new ProvisioningError(
    "usage",
    `${stores.join(" and ")} of ${service} ${verb} protected against deletion: only who names the service destroys the data`,
    `repeat the command with --confirm ${service}`,
  );
}
