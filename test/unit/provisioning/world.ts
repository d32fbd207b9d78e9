import { decide } from "../../../src/provisioning/engine/decide.ts";
import { type Plan, type StepId, stepIds } from "../../../src/provisioning/plan.ts";
import { isReversible } from "../../../src/provisioning/rollback/rollback.ts";
import { type Effect, effectKey } from "../../../src/provisioning/runs/effect.ts";
import type { RunError, RunEvent } from "../../../src/provisioning/runs/event.ts";
import type { RunState, StepState } from "../../../src/provisioning/runs/run.ts";
import { runName } from "../../../src/provisioning/runs/run-record.ts";
import { initialState, inPlay, reduce } from "../../../src/provisioning/runs/run-reducer.ts";
import { type Verb, verbsOf } from "../../../src/provisioning/verbs/verbs.ts";

export const request = {
  name: runName("ledger-create-7f3k2"),
  operation: "create" as const,
  service: "ledger",
  team: "platform",
  requestedBy: "ann",
  requestedAt: "2026-01-01T00:00:00Z",
};
const at = "2026-01-01T00:00:00.000Z";
const transient: RunError = { class: "transient", message: "busy", mend: "" };
const refused: RunError = { class: "refused", message: "no", mend: "" };

/** Numbers from 0 to below `sides`; a world in which nothing goes wrong any more throws the highest. */
export type Dice = (sides: number) => number;

/** The objects that a step makes. */
export function effectsOf(step: StepId): readonly Effect[] {
  return [0, 1].map((number) => ({
    kind: "object",
    apiVersion: "v1",
    type: "ConfigMap",
    namespace: "app-ledger",
    name: `${step.replaceAll("_", "-")}-${number}`,
  }));
}

/** Every step needs some of those before it; every third may be left out. */
export function planOf(needs: readonly (readonly number[])[]): Plan {
  const steps = needs.map((earlier, index) => ({
    id: stepIds[index] ?? "verify",
    title: `step ${index}`,
    needs: index === 0 ? [] : [...new Set(earlier.map((n) => stepIds[n % index] ?? "preflight"))],
    effects: [],
    notes: [],
  }));
  return { operation: "create", service: "ledger", steps };
}

/**
 * A run, what exists outside, and at most one engine that works on it: played by dice, as the engine and the use cases
 * of runs play it.
 */
export class World {
  readonly plan: Plan;
  readonly events: RunEvent[] = [];
  /** What exists outside, by effect key, because this run made it. */
  readonly outside = new Set<string>();
  /** What a rollback left on purpose. */
  readonly kept = new Set<string>();
  readonly live = new Set<StepId>();
  state: RunState = initialState(request);
  alive = false;
  epoch = 0;

  constructor(plan: Plan) {
    this.plan = plan;
  }

  say(...events: readonly RunEvent[]): void {
    this.events.push(...events);
    this.state = events.reduce(reduce, this.state);
  }

  /** What can happen next, happens: to the engine, or by a person. False where nothing is left to do. */
  turn(dice: Dice): boolean {
    if (this.alive) {
      this.#engine(dice);
      return true;
    }
    const verbs = verbsOf(this.state).filter((verb) => verb !== "rollback" || isReversible(this.state));
    // A person may leave a run that succeeded as it is.
    const choices = this.state.phase === "Succeeded" ? verbs.slice(0, dice(2) === 0 ? 1 : 0) : verbs;
    const verb = choices[dice(choices.length)];
    if (verb === undefined) return false;
    this.person(verb, dice);
    return true;
  }

  /** As the use cases of runs do it: an engine takes the run for what is asked. */
  person(verb: Verb, dice: Dice): void {
    this.epoch += 1;
    this.alive = true;
    const by = "ben";
    const { state, epoch } = this;
    const takes: RunEvent = { type: "RunTaken", at, epoch, holder: "h", by, verb };
    if (verb === "cancel") {
      this.say(takes, { type: "RunInterrupted", at, reason: "cancelled" });
      this.alive = false;
    } else if (verb === "rollback") {
      this.say(takes, { type: "RollbackStarted", at, by, dataStores: "keep-used" });
    } else if (state.steps.length === 0) {
      this.say({ type: "RunStarted", at, epoch, holder: "h", standardsHash: "x", plan: this.plan });
    } else {
      const failed =
        state.rollback === undefined ? state.steps.filter(({ phase }) => phase === "Failed") : [];
      const skipped = failed.filter(({ id }) => this.mayBeSkipped(id) && dice(3) === 0);
      const lost = state.rollback === undefined && dice(8) === 0 ? this.#lose(dice) : undefined;
      this.say(
        takes,
        ...skipped.map(({ id }): RunEvent => ({ type: "StepSkipped", at, step: id, by })),
        ...(lost === undefined
          ? []
          : [{ type: "StepReopened" as const, at, step: lost, reason: "somebody deleted it" }]),
      );
    }
  }

  mayBeSkipped(id: StepId): boolean {
    return stepIds.indexOf(id) % 3 === 2;
  }

  /** Somebody deletes what a step had made. */
  #lose(dice: Dice): StepId | undefined {
    const done = this.state.steps.filter(({ phase }) => phase === "Succeeded");
    const step = done[dice(done.length)];
    for (const { effect } of step?.effects ?? []) this.outside.delete(effectKey(effect));
    return step?.id;
  }

  #die(): void {
    this.alive = false;
    this.live.clear();
  }

  #engine(dice: Dice) {
    if (dice(12) === 0) return this.#die();
    if (dice(30) === 0) {
      this.live.clear();
      this.say({ type: "RunInterrupted", at, reason: "asked" });
      this.alive = false;
      return;
    }
    if (dice(30) === 0 && this.state.phase === "Running" && isReversible(this.state)) {
      this.live.clear();
      this.say({ type: "RollbackStarted", at, by: "ben", dataStores: "keep-used" });
    }
    const onFailure = dice(2) === 0 ? "hold" : "rollback";
    const commands = decide(this.state, { live: this.live, onFailure });
    if (commands.length === 0 && this.live.size === 0) throw new Error("the engine has nothing to do");
    for (const command of commands) {
      switch (command.type) {
        case "start":
        case "retry":
          this.live.add(command.step);
          this.say({ type: "StepStarted", at, step: command.step, attempt: command.attempt });
          break;
        case "compensate":
          this.live.add(command.step);
          this.say({ type: "CompensationStarted", at, step: command.step });
          break;
        case "stop":
          for (const step of command.steps) this.live.delete(step);
          break;
        case "roll-back":
          this.say({ type: "RollbackStarted", at, by: "h", dataStores: "keep-used" });
          break;
        case "hold":
          return this.#rest({ type: "RunHeld", at });
        case "succeed":
          return this.#rest({ type: "RunSucceeded", at });
        case "rolled-back":
          return this.#rest({ type: "RolledBack", at });
        case "rollback-failed":
          return this.#rest({ type: "RollbackFailed", at, orphans: [...command.orphans] });
      }
    }
    const busy = [...this.live];
    const step = this.state.steps.find(({ id }) => id === busy[dice(busy.length)]);
    if (step === undefined) return;
    if (this.state.phase === "RollingBack") this.#undo(step, dice);
    else this.#work(step, dice);
  }

  #rest(event: RunEvent): void {
    this.say(event);
    this.#die();
  }

  #work({ id, attempt }: StepState, dice: Dice) {
    const effects = effectsOf(id);
    if (dice(6) > 0) {
      this.say({ type: "EffectsIntended", at, step: id, effects: [...effects] });
      if (dice(10) === 0) return this.#die();
      const written = effects.filter(() => dice(5) > 0);
      const before = new Set(this.outside);
      for (const effect of written) this.outside.add(effectKey(effect));
      if (dice(10) === 0) return this.#die();
      const results = written.map((effect) => ({
        effect,
        outcome: before.has(effectKey(effect)) ? ("unchanged" as const) : ("created" as const),
        uid: `uid-${id}`,
      }));
      if (results.length > 0) this.say({ type: "EffectsRecorded", at, step: id, results });
      if (written.length < effects.length)
        return this.#failed({ type: "StepFailed", at, step: id, attempt, error: refused }, dice);
    } else if (dice(3) === 0) {
      return this.#failed({ type: "StepFailed", at, step: id, attempt, error: refused }, dice);
    }
    this.live.delete(id);
    this.say({ type: "StepSucceeded", at, step: id, summary: "", warnings: [] });
  }

  #failed(event: RunEvent & { readonly type: "StepFailed" }, dice: Dice): void {
    this.live.delete(event.step);
    this.say(dice(2) === 0 ? event : { ...event, error: transient, retryAt: at });
  }

  #undo({ id, effects }: StepState, dice: Dice) {
    const results: Extract<RunEvent, { readonly type: "EffectsReleased" }>["results"] = [];
    let failed = false;
    for (const { effect } of effects.filter(inPlay)) {
      const key = effectKey(effect);
      const luck = dice(8);
      if (luck === 0) {
        failed = true;
      } else if (!this.outside.has(key)) {
        results.push({ effect, outcome: "gone", reason: "" });
      } else if (luck === 1) {
        this.kept.add(key);
        results.push({ effect, outcome: "kept", reason: "holds data" });
      } else {
        this.outside.delete(key);
        results.push({ effect, outcome: "deleted", reason: "made by this run" });
      }
    }
    if (dice(10) === 0) return this.#die();
    if (results.length > 0) this.say({ type: "EffectsReleased", at, step: id, results });
    if (dice(10) === 0) return this.#die();
    this.live.delete(id);
    if (!failed) return this.say({ type: "CompensationSucceeded", at, step: id });
    this.say({
      type: "CompensationFailed",
      at,
      step: id,
      error: transient,
      ...(dice(2) === 0 ? {} : { retryAt: at }),
    });
  }
}
