import type { RunState } from "../../provisioning/runs/run.ts";
import { skippableStep, verbMeaning, verbsOf } from "../../provisioning/verbs/verbs.ts";

/** What a person can type now about a run, each with what it does: a line a verb of `verbsOf`, in its order. */
export function nextSteps(
  state: RunState,
  command: (...words: readonly string[]) => string,
): readonly string[] {
  const lines = verbsOf(state).map(
    (verb) => `  → ${command("run", verb, state.name)} ${verbMeaning(verb, state)}`,
  );
  const step = skippableStep(state);
  return step === undefined
    ? lines
    : [...lines, `  → ${command("run", "retry", state.name, "--skip", step.id)} goes on without that step`];
}
