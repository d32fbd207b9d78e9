import { isReversible } from "../rollback/rollback.ts";
import type { RunPhase, RunState, StepState } from "../runs/run.ts";

/** What a person can do with a run. The same words on every screen, and as `platform run VERB`. */
export const verbs = ["resume", "retry", "rollback", "cancel"] as const;
export type Verb = (typeof verbs)[number];

/** As a person reads it. */
export const verbTitles: Readonly<Record<Verb, string>> = {
  resume: "resume",
  retry: "retry",
  rollback: "roll back",
  cancel: "cancel",
};

const byPhase: Readonly<Record<RunPhase, readonly Verb[]>> = {
  Pending: ["resume", "cancel"],
  // Only once its holder is dead: a living one refuses to be taken over.
  Running: ["resume", "rollback", "cancel"],
  RollingBack: ["resume", "cancel"],
  Interrupted: ["resume", "rollback"],
  Held: ["retry", "rollback"],
  RollbackFailed: ["retry", "rollback"],
  Succeeded: ["rollback"],
  RolledBack: [],
  Refused: [],
};

/**
 * What can be done with a run, by its phase and, where its steps are known, by whether what it did can be taken back:
 * whether its holder lives, and whether a later run stands in the way of a rollback, is found out when it is asked
 * for. Pure.
 */
export function verbsOf({
  phase,
  steps,
}: Pick<RunState, "phase"> & { readonly steps?: RunState["steps"] }): readonly Verb[] {
  const possible = byPhase[phase];
  if (steps === undefined || isReversible({ steps })) return possible;
  return possible.filter((verb) => verb !== "rollback");
}

/** What a verb comes to, ready to stand behind it: `retry  tries the failed step again`. Pure. */
export function verbMeaning(verb: Verb, { phase, operation }: Pick<RunState, "phase" | "operation">): string {
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

/** The step that failed, where a retry can go on without it. Pure. */
export function skippableStep({
  phase,
  failure,
  steps,
}: {
  readonly phase: RunPhase;
  readonly failure?: RunState["failure"];
  readonly steps: readonly StepState[];
}): StepState | undefined {
  const failed = phase === "Held" ? steps.find(({ id }) => id === failure?.step) : undefined;
  return failed?.skippable === true ? failed : undefined;
}
