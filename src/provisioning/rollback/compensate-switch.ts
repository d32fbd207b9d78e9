import { StepError } from "../errors.ts";
import { isProtected, lifting, protecting } from "../objects/protection.ts";
import { inPlay } from "../runs/run-reducer.ts";
import { exchange, type InstancesContext, instancesOf } from "../steps/cloud-restore.ts";
import { recordBeside, tellService } from "../steps/switch_instance.ts";
import { type CompensationContext, observeRun } from "./compensate.ts";
import { dataStoresThatGo } from "./rollback.ts";

/** What taking a cut-over back works with. */
export type SwitchCompensation = CompensationContext & InstancesContext;

const step = "switch_instance";

/**
 * Points the service back to the instance that it had: its record and its Secret; its pods are brought back after it, like
 * anything else that was before. The new instance is protected from then on, unless it goes with the run.
 * @throws ClusterError, StepError
 */
export async function compensateSwitch(context: SwitchCompensation): Promise<void> {
  const { journal, clock, write } = context;
  const { state } = journal;
  const record = await recordBeside(context);
  // Without it no new instance was ever begun.
  if (record !== undefined) {
    const choice = state.rollback?.dataStores ?? "keep-used";
    const going = dataStoresThatGo(state, await observeRun(context, state, step), choice).length > 0;
    if (going && state.reachedReady && state.rollback?.confirmed !== state.service) {
      throw new StepError(
        "refused",
        `${state.service} has run on the new instance, and nobody has named the service for its end`,
        `platform run rollback ${state.name} --data-stores delete --confirm ${state.service}`,
      );
    }
    const { before, restored } = await instancesOf(context);
    await exchange(context, { used: before, other: restored });
    const begun = state.steps.find(({ id }) => id === step)?.effects ?? [];
    if (begun.some(({ effect }) => effect.kind === "object" && effect.type === "Secret")) {
      await tellService(context, "before");
    }
    if (going && isProtected(record.metadata)) await write.patchObjects([record], lifting(state.name));
    if (!going && state.reachedReady && !isProtected(record.metadata)) {
      await write.patchObjects([record], protecting);
    }
  }
  const effects = (journal.state.steps.find(({ id }) => id === step)?.effects ?? []).filter(inPlay);
  await journal.append({
    type: "EffectsReleased",
    at: clock.now().toISOString(),
    step,
    results: effects.flatMap(({ effect }) =>
      effect.kind === "object" && (effect.type === "ConfigMap" || effect.type === "Secret")
        ? [{ effect, outcome: "restored" as const, reason: "it says again what it said before this run" }]
        : [],
    ),
  });
}
