import type { RunState } from "../../provisioning/run.ts";
import { type Verb, verbsOf } from "../../provisioning/verbs.ts";

/** What a person can type now about a run, each with what it does: a line a verb of `verbsOf`, in its order. */
export function nextSteps(
  state: RunState,
  command: (...words: readonly string[]) => string,
): readonly string[] {
  const lines = verbsOf(state).map(
    (verb) => `  → ${command("run", verb, state.name)} ${meaning(verb, state)}`,
  );
  const skippable = skippableStep(state);
  return skippable === undefined
    ? lines
    : [...lines, `  → ${command("run", "retry", state.name, "--skip", skippable)} goes on without that step`];
}

function meaning(verb: Verb, { phase, operation }: RunState): string {
  switch (verb) {
    case "resume":
      return phase === "Running" || phase === "RollingBack"
        ? "takes it over, once its holder is dead"
        : "goes on from there";
    case "retry":
      return phase === "RollbackFailed" ? "tries again to undo what remains" : "tries the failed step again";
    case "rollback":
      if (phase === "RollbackFailed") return "begins to undo it anew";
      return operation === "create" ? "undoes it" : "brings back what was";
    case "cancel":
      return "stops it; it can then be resumed or rolled back";
  }
}

/** The step that failed, where a retry can go on without it. */
function skippableStep({ phase, failure, steps }: RunState): string | undefined {
  const failed = phase === "Held" ? steps.find(({ id }) => id === failure?.step) : undefined;
  return failed?.skippable === true ? failed.id : undefined;
}
