import { isInstallation, operationWords } from "../../provisioning/plan.ts";
import { effectLabel } from "../../provisioning/runs/effect.ts";
import type { EffectState, RunState } from "../../provisioning/runs/run.ts";
import { type AboutService, serviceText } from "../../provisioning/runs/service-of-run.ts";
import { typable } from "../failure.ts";
import { duration } from "./age.ts";
import { nextSteps } from "./next-steps.ts";

/** What a run came to, for a person: one line, then cause, what exists, and the next commands. */
export function runResult(
  state: RunState,
  { command }: { readonly command: (...words: readonly string[]) => string },
): { readonly result: string; readonly notes: readonly string[] } {
  const took = duration(state.startedAt, state.finishedAt);
  const subject = `${state.operation} ${serviceText(state)}`;
  const notes: string[] = [];
  if (state.failure !== undefined && state.phase !== "Succeeded") {
    const { error } = state.failure;
    notes.push(`  Cause    ${error.message}`);
    if (error.mend !== "") notes.push(`  Mend     ${typable(error.mend, command)}`);
  }
  switch (state.phase) {
    case "Succeeded": {
      const done = `${subjectOf(state)} ${operationWords[state.operation].done}${took === "" ? "" : ` in ${took}`}`;
      if (!keepsData(state)) return { result: done, notes: [...notes, ...nextSteps(state, command)] };
      notes.push(
        `  → ${command("service", "delete", serviceText(state), "--data-stores", "delete")} deletes the data too`,
        ...nextSteps(state, command),
      );
      return { result: `${done}; its data stores are kept${whereKept(state)}`, notes };
    }
    case "RolledBack": {
      const kept = effectsIn(state, "kept");
      const undone = effectsIn(state, "rolled-back").length;
      const restored = effectsIn(state, "restored").length;
      if (undone > 0 || restored === 0) notes.push(`  Undone   ${count(undone, "effect")}`);
      if (restored > 0) notes.push(`  Restored ${count(restored, "effect")}, as before the run`);
      for (const { effect, reason } of kept) notes.push(`  Kept     ${effectLabel(effect)}: ${reason ?? ""}`);
      return { result: `${subject} rolled back${failedAt(state)}`, notes };
    }
    case "RollbackFailed":
      for (const orphan of state.orphans) notes.push(`  Remains  ${effectLabel(orphan)}`);
      notes.push(...nextSteps(state, command));
      return { result: `${subject}: the roll back failed, effects remain`, notes };
    case "Held":
    case "Interrupted":
      notes.push(`  Exists   ${exists(state)}`);
      notes.push(...nextSteps(state, command));
      return {
        result:
          state.phase === "Held"
            ? `${subject} is held${failedAt(state)}`
            : `${subject} was interrupted; nothing is lost`,
        notes,
      };
    case "Refused":
      if (state.refusal !== undefined) {
        notes.push(`  Cause    ${state.refusal.message}`);
        if (state.refusal.mend !== "") notes.push(`  Mend     ${typable(state.refusal.mend, command)}`);
      }
      return { result: `${subject} was refused; nothing was written`, notes };
    case "Pending":
    case "Running":
    case "RollingBack":
      notes.push(`  → ${command("run", "watch", state.name)} follows it`, ...nextSteps(state, command));
      return {
        result: `${subject} is still ${state.phase === "RollingBack" ? "rolling back" : "running"}`,
        notes,
      };
  }
}

/** What a run was about. */
function subjectOf(state: Pick<RunState, "operation" | "service" | "sharedNamespace">): string {
  if (isInstallation(state.operation)) return "platform";
  return `${state.operation === "cleanup" ? "orphans of" : "service"} ${serviceText(state)}`;
}

/** Where a delete leaves the service's data stores: behind a verb. */
export function whereKept({ service, sharedNamespace }: AboutService): string {
  return sharedNamespace === undefined
    ? `, and with them namespace app-${service}`
    : ` in namespace ${sharedNamespace}`;
}

/** Whether a delete leaves the service's data stores, of which it deletes all or none. */
export function keepsData({
  operation,
  steps,
}: {
  readonly operation: string;
  readonly steps: readonly { readonly id: string }[];
}): boolean {
  return (
    operation === "delete" &&
    !steps.some(({ id }) => id === "delete_namespace" || id === "delete_data_stores")
  );
}

function failedAt(state: RunState): string {
  const failed = state.steps.find(({ id }) => id === state.failure?.step);
  return failed === undefined ? "" : `: ${failed.title} failed`;
}

function effectsIn(state: RunState, wanted: EffectState["state"]): readonly EffectState[] {
  return state.steps.flatMap(({ effects }) => effects).filter(({ state: now }) => now === wanted);
}

/** What a run has made so far, in words: `14 objects, 1 repository`. */
export function exists(state: RunState): string {
  const counts = new Map<string, number>();
  for (const { effect, state: now } of state.steps.flatMap(({ effects }) => effects)) {
    if (now !== "created" && now !== "changed" && now !== "unknown") continue;
    counts.set(effect.kind, (counts.get(effect.kind) ?? 0) + 1);
  }
  const parts = [...counts].map(([kind, number]) => count(number, kind));
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

/** `1 object`, `2 objects`, `2 repositories`. */
export function count(number: number, noun: string): string {
  return `${number} ${number === 1 ? noun : noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}
