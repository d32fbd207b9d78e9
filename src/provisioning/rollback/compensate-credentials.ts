import { StepError } from "../errors.ts";
import { objectEffect } from "../objects/objects.ts";
import type { StepId } from "../plan.ts";
import type { PlanContext } from "../step.ts";
import {
  inStore,
  secretOfStore,
  storeOf,
  type TurnContext,
  turnOf,
  writeLogin,
} from "../steps/credentials.ts";
import type { CompensationContext } from "./compensate.ts";

/** What taking a rotation back works with. */
export type CredentialsCompensation = CompensationContext & TurnContext & Pick<PlanContext, "credential">;

/**
 * Takes back what of a rotation's step is no object: the Secret gets its old login again, and the new one is taken away
 * in the data store. What is objects is undone after it, like any other step's.
 * @throws ClusterError, StepError
 */
export async function compensateCredentials(context: CredentialsCompensation, step: StepId): Promise<void> {
  const store = storeOf(context);
  const under = await turnOf(context, store);
  if (step === "enable_credentials") {
    // Nothing was given to anybody before it was written down.
    return under === undefined ? undefined : inStore(context, store, "revoke");
  }
  if (under === undefined) {
    const { service } = context.journal.state;
    throw new StepError(
      "refused",
      "the old password is forgotten already, so the service keeps the new one",
      `give it another one: platform secret rotate ${service} ${store}`,
    );
  }
  await writeLogin(context, store, under.turn.previous, under.turn.version - 1);
  const { journal, clock } = context;
  await journal.append({
    type: "EffectsReleased",
    at: clock.now().toISOString(),
    step,
    results: [
      {
        effect: objectEffect(await secretOfStore(context, store)),
        outcome: "restored",
        reason: "it has the login that it had before this run",
      },
    ],
  });
}

/** Whether a step changes credentials, and has more to be undone than objects. */
export function isCredentialsStep(id: StepId): boolean {
  return id === "enable_credentials" || id === "switch_credentials";
}
