import type { RunState } from "../../src/provisioning/runs/run.ts";

/** What is kept of a recorded run's state: which steps there are, how they stand, what they made, what was before. */
export function essence(state: RunState) {
  const { phase, epoch, holder, failure, orphans, reachedReady, rollback, log } = state;
  return {
    phase,
    epoch,
    holder,
    ...(failure === undefined ? {} : { failure }),
    steps: state.steps.map(({ id, phase, attempt, summary, effects }) => ({
      id,
      phase,
      attempt,
      summary,
      effects,
    })),
    orphans,
    logLines: log.length,
    reachedReady,
    ...(rollback === undefined ? {} : { rollback }),
  };
}
