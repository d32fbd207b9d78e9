import type { StepId } from "../plan.ts";
import { effectKey } from "./effect.ts";
import type { RunEvent } from "./event.ts";
import type { EffectState, RunState, StepState } from "./run.ts";

/** Log lines a run's state holds; the journal holds some more, older ones go to its archive (`log-archive.ts`). */
export const keptLogLines = 200;

/** What a run is before its first event: the Run object's name, creation time and spec. */
export type RunRequest = Pick<
  RunState,
  "name" | "operation" | "service" | "sharedNamespace" | "team" | "requestedBy" | "requestedAt"
>;

/** A run that was requested and that nobody has taken yet. */
export function initialState(request: RunRequest): RunState {
  return {
    ...request,
    phase: "Pending",
    epoch: 0,
    holder: "",
    steps: [],
    log: [],
    orphans: [],
    reachedReady: false,
  };
}

/** The state of a run: the fold of its events. */
export function replay(request: RunRequest, events: readonly RunEvent[]): RunState {
  return events.reduce(reduce, initialState(request));
}

/** An effect that may exist outside and that a rollback has to account for. */
export function inPlay({ state }: EffectState): boolean {
  return (
    state === "unknown" ||
    state === "created" ||
    state === "changed" ||
    state === "unchanged" ||
    state === "deleted"
  );
}

function withStep(state: RunState, id: StepId, change: (step: StepState) => StepState): RunState {
  return { ...state, steps: state.steps.map((step) => (step.id === id ? change(step) : step)) };
}

/** Steps that no engine works on any more wait again; what they did stays recorded. */
function settled(step: StepState): StepState {
  if (step.phase !== "Running" && step.phase !== "Retrying" && step.phase !== "Compensating") return step;
  const { retryAt: _, ...rest } = step;
  return { ...rest, phase: "Waiting" };
}

/** As {@link settled}, and failures are open again: an engine goes on with the run, and times it anew. */
function reopened(step: StepState): StepState {
  const open = step.phase === "Failed" || step.phase === "CompensationFailed";
  const next = open ? { ...step, phase: "Waiting" as const } : settled(step);
  if (next.phase !== "Waiting") return next;
  const { startedAt: _, finishedAt: __, ...rest } = next;
  return rest;
}

function merged(
  effects: readonly EffectState[],
  additions: readonly EffectState[],
  replaces: (before: EffectState) => boolean = () => true,
): readonly EffectState[] {
  const byKey = new Map(effects.map((effect) => [effectKey(effect.effect), effect]));
  for (const addition of additions) {
    const key = effectKey(addition.effect);
    const before = byKey.get(key);
    if (before === undefined || replaces(before)) byKey.set(key, addition);
  }
  return [...byKey.values()];
}

/** Records what a later attempt saw without forgetting that an earlier one of the same run created it. */
function recorded(before: EffectState | undefined, now: EffectState): EffectState {
  const sameObject = before?.uid === undefined || before.uid === now.uid;
  const kept = before?.before === undefined ? now : { ...now, before: before.before };
  if (!sameObject) return kept;
  if (before?.state === "created" && (now.state === "changed" || now.state === "unchanged")) {
    return { ...kept, state: "created" };
  }
  // An earlier attempt changed it, and this one found it as wanted.
  return before?.before !== undefined && now.state === "unchanged" ? { ...kept, state: "changed" } : kept;
}

/** One event onto a run's state. Pure; an event about a step that the plan does not hold changes nothing but the log. */
export function reduce(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case "RunStarted": {
      const { finishedAt: _, ...rest } = state;
      return {
        ...rest,
        phase: "Running",
        epoch: event.epoch,
        holder: event.holder,
        startedAt: event.at,
        ...(event.plan.change === undefined ? {} : { change: event.plan.change }),
        steps: event.plan.steps.map(({ id, title, needs, skippable }) => ({
          id,
          title,
          needs,
          ...(skippable === undefined ? {} : { skippable }),
          phase: "Waiting",
          attempt: 0,
          summary: "",
          warnings: [],
          effects: [],
        })),
      };
    }
    case "RunTaken": {
      const { finishedAt: _, refusal: __, ...rest } = state;
      return {
        ...rest,
        phase: state.rollback === undefined ? "Running" : "RollingBack",
        epoch: event.epoch,
        holder: event.holder,
        steps: state.steps.map(reopened),
      };
    }
    case "StepStarted": {
      const { failure, ...rest } = state;
      return withStep(
        failure === undefined || failure.step === event.step ? rest : state,
        event.step,
        (step) => {
          const { error: _, retryAt: __, finishedAt: ___, ...kept } = step;
          return { ...kept, phase: "Running", attempt: event.attempt, startedAt: step.startedAt ?? event.at };
        },
      );
    }
    case "StepLogged":
      return {
        ...withStep(state, event.step, (step) =>
          step.phase === "Running" || step.phase === "Compensating" ? { ...step, summary: event.line } : step,
        ),
        log: [...state.log.slice(1 - keptLogLines), { at: event.at, step: event.step, line: event.line }],
      };
    case "EffectsIntended":
      return withStep(state, event.step, (step) => ({
        ...step,
        effects: merged(
          step.effects,
          event.effects.map((effect) => {
            const was = event.before?.find((entry) => effectKey(entry.effect) === effectKey(effect));
            return { effect, state: "unknown", ...(was === undefined ? {} : { before: was.object }) };
          }),
          // What an attempt recorded as existing stays so: an intent to write it again takes nothing away.
          // An intent is journaled before one has looked, and again with what was there.
          (known) => !inPlay(known) || (known.state === "unknown" && known.before === undefined),
        ),
      }));
    case "EffectsRecorded":
      return withStep(state, event.step, (step) => {
        const before = new Map(step.effects.map((effect) => [effectKey(effect.effect), effect]));
        return {
          ...step,
          effects: merged(
            step.effects,
            event.results.map(({ effect, outcome, uid }) =>
              recorded(before.get(effectKey(effect)), {
                effect,
                state: outcome,
                ...(uid === undefined ? {} : { uid }),
              }),
            ),
          ),
        };
      });
    case "StepSkipped": {
      const { failure: _, ...rest } = state;
      return withStep(rest, event.step, (step) => {
        const { error: __, retryAt: ___, ...kept } = step;
        return { ...kept, phase: "Skipped", finishedAt: event.at, summary: `left out by ${event.by}` };
      });
    }
    case "StepSucceeded":
      return {
        ...withStep(state, event.step, (step) => ({
          ...step,
          phase: "Succeeded",
          finishedAt: event.at,
          summary: event.summary,
          warnings: event.warnings,
        })),
        reachedReady:
          state.reachedReady || event.step === "apply_kubernetes" || event.step === "switch_instance",
      };
    case "StepFailed": {
      const retrying = event.retryAt !== undefined;
      const next = withStep(state, event.step, (step) => ({
        ...step,
        phase: retrying ? "Retrying" : "Failed",
        attempt: event.attempt,
        error: event.error,
        ...(event.retryAt === undefined ? { finishedAt: event.at } : { retryAt: event.retryAt }),
      }));
      return retrying ? next : { ...next, failure: { step: event.step, error: event.error } };
    }
    case "StepReopened":
      return withStep(state, event.step, (step) => {
        const { startedAt: _, finishedAt: __, ...kept } = step;
        return { ...kept, phase: "Waiting", summary: event.reason };
      });
    case "RunHeld":
      return { ...state, phase: "Held", steps: state.steps.map(settled), finishedAt: event.at };
    case "RunInterrupted":
      return { ...state, phase: "Interrupted", steps: state.steps.map(settled), finishedAt: event.at };
    case "RunReleased":
      return { ...state, holder: "", steps: state.steps.map(settled) };
    case "RunRefused":
      return {
        ...state,
        phase: "Refused",
        refusal: { ...event.refusal, at: event.at },
        finishedAt: event.at,
      };
    case "ActionRefused":
      return { ...state, refusal: { ...event.refusal, at: event.at } };
    case "RunSucceeded": {
      const { failure: _, ...rest } = state;
      // The Application that asked for data stores runs on them from then on.
      const reachedReady = rest.reachedReady || rest.operation === "provision";
      return { ...rest, phase: "Succeeded", finishedAt: event.at, reachedReady };
    }
    case "RollbackStarted": {
      const { finishedAt: _, ...rest } = state;
      return {
        ...rest,
        phase: "RollingBack",
        rollback: {
          by: event.by,
          dataStores: event.dataStores,
          ...(event.confirmed === undefined ? {} : { confirmed: event.confirmed }),
        },
        orphans: [],
        steps: state.steps.map((step) =>
          step.phase === "CompensationFailed" ? reopened(step) : settled(step),
        ),
      };
    }
    case "CompensationStarted":
      return withStep(state, event.step, ({ retryAt: _, ...step }) => ({ ...step, phase: "Compensating" }));
    case "EffectsReleased": {
      // A repository's commits were made by other steps: each result goes to the step that recorded the effect.
      return event.results.reduce((next, { effect, outcome, reason }) => {
        const key = effectKey(effect);
        const knows = (step: StepState) => step.effects.some((known) => effectKey(known.effect) === key);
        const owner =
          next.steps.find((step) => step.id === event.step && knows(step)) ?? next.steps.find(knows);
        return withStep(next, owner?.id ?? event.step, (step) => {
          const before = step.effects.find((known) => effectKey(known.effect) === key);
          const released: EffectState = {
            effect,
            state: outcome === "deleted" ? "rolled-back" : outcome,
            ...(before?.uid === undefined ? {} : { uid: before.uid }),
            ...(before?.before === undefined ? {} : { before: before.before }),
            ...(reason === "" ? {} : { reason }),
          };
          const effects = merged(step.effects, [released]);
          // It may go with a namespace or repository though its own step could not undo it.
          const failed = step.phase === "CompensationFailed" || step.phase === "Retrying";
          const undone = failed && !effects.some(inPlay);
          return { ...step, effects, ...(undone ? { phase: "Compensated" as const } : {}) };
        });
      }, state);
    }
    case "CompensationSucceeded":
      return withStep(state, event.step, (step) => ({ ...step, phase: "Compensated" }));
    case "CompensationFailed":
      return withStep(state, event.step, (step) => ({
        ...step,
        phase: event.retryAt === undefined ? "CompensationFailed" : "Retrying",
        error: event.error,
        ...(event.retryAt === undefined ? {} : { retryAt: event.retryAt }),
      }));
    case "RolledBack":
      return { ...state, phase: "RolledBack", orphans: [], finishedAt: event.at };
    case "RollbackFailed":
      return { ...state, phase: "RollbackFailed", orphans: event.orphans, finishedAt: event.at };
  }
}
