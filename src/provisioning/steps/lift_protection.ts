import { StepError } from "../errors.ts";
import {
  isProtected,
  lifting,
  protectedAtStake,
  protectedObjects,
  storesAtStake,
} from "../objects/protection.ts";
import type { Step } from "../step.ts";

/** Lifts the protection of data stores that are destroyed, where whoever asked has named the service. */
export const liftProtection: Step = {
  id: "lift_protection",
  title: "Deletion protection",
  needs: ["preflight", "delete_kubernetes", "apply_kubernetes"],
  when: (context) =>
    storesAtStake(context).length > 0 &&
    (context.cleanup !== undefined || context.previous !== undefined || hasDataStore(context)),
  async describe(context) {
    const stores = await protectedAtStake(context);
    return {
      effects: [],
      notes: stores.map(({ name }) => `${name} is protected against deletion: that is lifted`),
      manifests: [],
    };
  },
  async apply(context) {
    const { run, confirmed, request, write } = context;
    const stores = await protectedAtStake(context);
    if (stores.length === 0) return { summary: "nothing is protected" };
    if (confirmed !== request.name) {
      throw new StepError(
        "refused",
        `${stores.map(({ name }) => name).join(" and ")} of ${request.name} is protected against deletion, and nobody has named the service for it`,
        `roll the run back, then ask again with --confirm ${request.name}`,
      );
    }
    // Those that an earlier try has lifted too: so that the journal knows of them.
    const objects = stores.flatMap(protectedObjects).filter(({ metadata }) => isProtected(metadata));
    await write.patchObjects(objects, lifting(run));
    return { summary: `lifted from ${stores.map(({ name }) => name).join(", ")}` };
  },
};

function hasDataStore({ request }: Parameters<Step["when"]>[0]): boolean {
  return request.database !== "none" || request.cache !== "none";
}
