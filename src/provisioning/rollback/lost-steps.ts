import type { Cluster } from "../../cluster/cluster.ts";
import { observeEffect } from "../objects/objects.ts";
import type { StepId } from "../plan.ts";
import { effectKey, effectLabel } from "../runs/effect.ts";
import type { EffectState, RunState } from "../runs/run.ts";

/** Whether a step left the effect in place, so that the steps after it count on it. */
function leftInPlace({ state }: EffectState): boolean {
  return state === "created" || state === "changed" || state === "unchanged";
}

/**
 * Steps that were done, and of whose objects some are not there any more because somebody has deleted them since: who
 * goes on with the run has to take them again. None for a run that is being undone.
 */
export async function lostSteps(
  cluster: Cluster,
  { steps, rollback }: Pick<RunState, "steps" | "rollback">,
): Promise<readonly { readonly step: StepId; readonly reason: string }[]> {
  if (rollback !== undefined) return [];
  const done = steps.filter(({ phase }) => phase === "Succeeded");
  // What one step makes and another takes away again is not lost.
  const takenAway = new Set(
    steps.flatMap(({ effects }) =>
      effects.flatMap(({ effect, state }) =>
        state === "deleted" || state === "unknown" ? [effectKey(effect)] : [],
      ),
    ),
  );
  const found = await Promise.all(
    done.map(async ({ id, effects }) => {
      const gone = await Promise.all(
        effects.filter(leftInPlace).map(async ({ effect }) => {
          if (effect.kind !== "object" || takenAway.has(effectKey(effect))) return [];
          return (await observeEffect(cluster, effect)) === undefined ? [effectLabel(effect)] : [];
        }),
      );
      const [first, ...more] = gone.flat();
      if (first === undefined) return [];
      return [{ step: id, reason: `${first}${more.length === 0 ? "" : ` and ${more.length} more`} is gone` }];
    }),
  );
  return found.flat();
}
