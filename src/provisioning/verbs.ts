import type { RunPhase, RunState } from "./run.ts";

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
};

/**
 * What can be done with a run, by its phase alone: whether its holder lives, and whether a later run stands in the
 * way of a rollback, is found out when it is asked for. Pure.
 */
export function verbsOf({ phase }: Pick<RunState, "phase">): readonly Verb[] {
  return byPhase[phase];
}
