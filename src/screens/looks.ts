import { type Operation, operationWords } from "../provisioning/plan.ts";
import type { EffectState, RunPhase, StepPhase } from "../provisioning/runs/run.ts";
import type { LastRun } from "../services/service.ts";
import type { Glyphs, Tone } from "./theme.ts";

/** How something is told: a sign, a word, and a tone that never stands alone. */
export interface Look {
  readonly glyph: keyof Omit<Glyphs, "spinner">;
  readonly word: string;
  readonly tone: Tone;
}

/** A run in two words: `create held`; a finished one in one: `created`. */
export function runPhaseLook(operation: Operation, phase: RunPhase): Look {
  const { name: verb } = operationWords[operation];
  switch (phase) {
    case "Succeeded":
      return { glyph: "ok", word: operationWords[operation].done, tone: "plain" };
    case "Pending":
      return { glyph: "waiting", word: `${verb} pending`, tone: "dim" };
    case "Running":
      return { glyph: "working", word: operationWords[operation].doing, tone: "accent" };
    case "Held":
      return { glyph: "failed", word: `${verb} held`, tone: "bad" };
    case "Interrupted":
      return { glyph: "warning", word: `${verb} stopped`, tone: "warn" };
    case "RollingBack":
      return { glyph: "working", word: "rolling back", tone: "accent" };
    case "RolledBack":
      return { glyph: "empty", word: "rolled back", tone: "dim" };
    case "RollbackFailed":
      return { glyph: "failed", word: "rollback failed", tone: "bad" };
    case "Refused":
      return { glyph: "failed", word: `${verb} refused`, tone: "bad" };
  }
}

/** A run that looks as if it was going, and that nobody works on. */
export const holderGone: Look = { glyph: "warning", word: "holder gone", tone: "warn" };

/** A service's newest run in two words. */
export function lastRunLook({ operation, phase, holderGone: gone }: LastRun): Look {
  return gone === true ? holderGone : runPhaseLook(operation, phase);
}

/** A step's sign and word. */
export function stepLook(phase: StepPhase): Look {
  switch (phase) {
    case "Waiting":
      return { glyph: "waiting", word: "waiting", tone: "dim" };
    case "Running":
      return { glyph: "working", word: "running", tone: "accent" };
    case "Retrying":
      return { glyph: "warning", word: "will retry", tone: "warn" };
    case "Succeeded":
      return { glyph: "ok", word: "done", tone: "good" };
    case "Skipped":
      return { glyph: "empty", word: "left out", tone: "dim" };
    case "Failed":
      return { glyph: "failed", word: "failed", tone: "bad" };
    case "Compensating":
      return { glyph: "working", word: "undoing", tone: "accent" };
    case "Compensated":
      return { glyph: "empty", word: "undone", tone: "dim" };
    case "CompensationFailed":
      return { glyph: "failed", word: "not undone", tone: "bad" };
  }
}

/** An effect's sign and word. */
export function effectLook(state: EffectState["state"]): Look {
  switch (state) {
    case "created":
    case "changed":
      return { glyph: "ok", word: state, tone: "good" };
    case "unchanged":
      return { glyph: "ok", word: "was as wanted", tone: "dim" };
    case "unknown":
      return { glyph: "half", word: "not known whether it was made", tone: "warn" };
    case "kept":
      return { glyph: "full", word: "kept", tone: "warn" };
    case "deleted":
    case "restored":
    case "gone":
      return { glyph: "empty", word: state, tone: "dim" };
    case "rolled-back":
      return { glyph: "empty", word: "rolled back", tone: "dim" };
  }
}
