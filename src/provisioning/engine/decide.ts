import type { StepId } from "../plan.ts";
import { isReversible } from "../rollback/rollback.ts";
import type { Effect } from "../runs/effect.ts";
import type { RunState, StepState } from "../runs/run.ts";
import { inPlay } from "../runs/run-reducer.ts";

/** What an engine does next with a run. */
export type Command =
  | { readonly type: "start"; readonly step: StepId; readonly attempt: number }
  /** Start again at `at` (RFC 3339), unless something else happens first. */
  | { readonly type: "retry"; readonly step: StepId; readonly attempt: number; readonly at: string }
  /** Abort what is still running: another step has failed for good. */
  | { readonly type: "stop"; readonly steps: readonly StepId[] }
  | { readonly type: "hold" }
  | { readonly type: "roll-back" }
  /** Not before `at` (RFC 3339), where it failed and is tried again. */
  | { readonly type: "compensate"; readonly step: StepId; readonly at?: string }
  | { readonly type: "succeed" }
  | { readonly type: "rolled-back" }
  | { readonly type: "rollback-failed"; readonly orphans: readonly Effect[] };

/** What only the engine knows: which steps it works on now, and what was asked for on failure. */
export interface Situation {
  readonly live: ReadonlySet<StepId>;
  readonly onFailure: "rollback" | "hold";
}

/** Whether a run has come to rest: nobody works on it, and a person or nobody is next. */
export function atRest({ phase }: Pick<RunState, "phase">): boolean {
  return phase !== "Pending" && phase !== "Running" && phase !== "RollingBack";
}

/** Whether a run is over: nothing is left to retry or to roll back. */
export function isOver({ phase }: Pick<RunState, "phase">): boolean {
  return phase === "Succeeded" || phase === "RolledBack" || phase === "Refused";
}

function toCompensate(step: StepState): boolean {
  return step.phase !== "CompensationFailed" && step.phase !== "Compensated" && step.effects.some(inPlay);
}

function forwards(state: RunState, { live, onFailure }: Situation): readonly Command[] {
  if (state.steps.some((step) => step.phase === "Failed")) {
    if (live.size > 0) return [{ type: "stop", steps: [...live] }];
    return [{ type: onFailure === "rollback" && isReversible(state) ? "roll-back" : "hold" }];
  }
  const succeeded = new Set(
    state.steps.filter(({ phase }) => phase === "Succeeded" || phase === "Skipped").map((step) => step.id),
  );
  if (succeeded.size === state.steps.length) return [{ type: "succeed" }];
  return state.steps.flatMap((step): readonly Command[] => {
    if (live.has(step.id)) return [];
    const attempt = step.attempt + 1;
    if (step.phase === "Retrying") {
      return [{ type: "retry", step: step.id, attempt, at: step.retryAt ?? "" }];
    }
    const ready = step.phase === "Waiting" && step.needs.every((need) => succeeded.has(need));
    return ready ? [{ type: "start", step: step.id, attempt }] : [];
  });
}

/** Steps that need this one, directly or through others: they are undone before it. */
function dependentsOf(id: StepId, steps: readonly StepState[]): readonly StepId[] {
  const direct = steps.filter((step) => step.needs.includes(id)).map((step) => step.id);
  return direct.flatMap((dependent) => [dependent, ...dependentsOf(dependent, steps)]);
}

function backwards(state: RunState, { live }: Situation): readonly Command[] {
  const open = state.steps.filter(toCompensate);
  if (open.length === 0 && live.size === 0) {
    const orphans = state.steps.flatMap((step) => step.effects.filter(inPlay).map(({ effect }) => effect));
    return [orphans.length === 0 ? { type: "rolled-back" } : { type: "rollback-failed", orphans }];
  }
  const busy = new Set([...open.map((step) => step.id), ...live]);
  return open
    .filter((step) => !live.has(step.id) && !dependentsOf(step.id, state.steps).some((id) => busy.has(id)))
    .map((step) => ({
      type: "compensate",
      step: step.id,
      ...(step.phase === "Retrying" && step.retryAt !== undefined ? { at: step.retryAt } : {}),
    }));
}

/**
 * What to do next: a pure function of a run's state and of what the engine has in hand. Empty where there is only
 * to wait for what is live, or where the run is at rest.
 */
export function decide(state: RunState, situation: Situation): readonly Command[] {
  if (state.phase === "Running") return forwards(state, situation);
  if (state.phase === "RollingBack") return backwards(state, situation);
  return [];
}
