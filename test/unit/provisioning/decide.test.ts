import fc from "fast-check";
import { expect, test } from "vitest";
import { atRest, decide } from "../../../src/provisioning/engine/decide.ts";
import { type Plan, type StepId, stepIds } from "../../../src/provisioning/plan.ts";
import { type Effect, effectKey } from "../../../src/provisioning/runs/effect.ts";
import type { RunEvent } from "../../../src/provisioning/runs/event.ts";
import type { RunState } from "../../../src/provisioning/runs/run.ts";
import { runName } from "../../../src/provisioning/runs/run-record.ts";
import { initialState, inPlay, reduce, replay } from "../../../src/provisioning/runs/run-reducer.ts";

const request = {
  name: runName("ledger-create-7f3k2"),
  operation: "create" as const,
  service: "ledger",
  team: "platform",
  requestedBy: "ann",
  requestedAt: "2026-01-01T00:00:00Z",
};
const at = "2026-01-01T00:00:00.000Z";
const failure = { class: "refused" as const, message: "no", mend: "" };

/** Plans of any shape: each step may need any that come before it. */
const plans = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: stepIds.length })
  .map((needs): Plan => {
    const steps = needs.map((earlier, index) => ({
      id: stepIds[index] ?? "verify",
      title: `step ${index}`,
      needs: index === 0 ? [] : [...new Set(earlier.map((n) => stepIds[n % index] ?? "preflight"))],
      effects: [],
      notes: [],
    }));
    return { operation: "create", service: "ledger", steps };
  });

function effectOf(step: StepId, number: number): Effect {
  return {
    kind: "object",
    apiVersion: "v1",
    type: "ConfigMap",
    namespace: "app-ledger",
    name: `${step.replaceAll("_", "-")}-${number}`,
  };
}

/** Plays an engine: obeys what is decided, with the luck it is given. Returns every event, and what was touched. */
function play(plan: Plan, luck: readonly number[], onFailure: "rollback" | "hold") {
  const live = new Set<StepId>();
  const events: RunEvent[] = [];
  let state: RunState = initialState(request);
  let turn = 0;
  const next = (below: number) => (luck[turn++ % luck.length] ?? 0) % below;
  const say = (...said: RunEvent[]) => {
    events.push(...said);
    state = said.reduce(reduce, state);
  };
  say({ type: "RunStarted", at, epoch: 1, holder: "h", standardsHash: "x", plan });

  const finish = (step: StepId) => {
    live.delete(step);
    if (state.phase === "RollingBack") {
      if (next(8) === 0) return say({ type: "CompensationFailed", at, step, error: failure });
      const results = (state.steps.find(({ id }) => id === step)?.effects ?? [])
        .filter(inPlay)
        .map(({ effect }) => ({ effect, outcome: "deleted" as const, reason: "" }));
      return say({ type: "EffectsReleased", at, step, results }, { type: "CompensationSucceeded", at, step });
    }
    const effects = [effectOf(step, 0), effectOf(step, 1)];
    if (next(3) > 0) {
      say({ type: "EffectsIntended", at, step, effects });
      if (next(4) > 0) {
        say({
          type: "EffectsRecorded",
          at,
          step,
          results: effects.map((effect) => ({ effect, outcome: "created", uid: "u" })),
        });
      }
    }
    const attempt = state.steps.find(({ id }) => id === step)?.attempt ?? 1;
    const dice = next(6);
    if (dice === 0) return say({ type: "StepFailed", at, step, attempt, error: failure });
    if (dice === 1 && attempt < 4)
      return say({ type: "StepFailed", at, step, attempt, error: failure, retryAt: at });
    return say({ type: "StepSucceeded", at, step, summary: "", warnings: [] });
  };

  for (let round = 0; round < 500; round += 1) {
    if (atRest(state)) return { state, events, stuck: false };
    const commands = decide(state, { live, onFailure });
    if (commands.length === 0 && live.size === 0) return { state, events, stuck: true };
    for (const command of commands) {
      switch (command.type) {
        case "start":
        case "retry":
          for (const need of state.steps.find(({ id }) => id === command.step)?.needs ?? []) {
            expect(state.steps.find(({ id }) => id === need)?.phase).toBe("Succeeded");
          }
          live.add(command.step);
          say({ type: "StepStarted", at, step: command.step, attempt: command.attempt });
          break;
        case "compensate":
          live.add(command.step);
          say({ type: "CompensationStarted", at, step: command.step });
          break;
        case "stop":
          for (const step of command.steps) live.delete(step);
          break;
        case "roll-back":
          say({ type: "RollbackStarted", at, by: "h", dataStores: "keep-used" });
          break;
        case "hold":
          say({ type: "RunHeld", at });
          break;
        case "succeed":
          say({ type: "RunSucceeded", at });
          break;
        case "rolled-back":
          say({ type: "RolledBack", at });
          break;
        case "rollback-failed":
          say({ type: "RollbackFailed", at, orphans: [...command.orphans] });
          break;
      }
    }
    const busy = [...live];
    const chosen = busy[next(Math.max(1, busy.length))];
    if (chosen !== undefined) finish(chosen);
  }
  return { state, events, stuck: true };
}

const luck = fc.array(fc.nat(1_000), { minLength: 5, maxLength: 60 });

test("every run comes to rest, whatever fails", () => {
  fc.assert(
    fc.property(
      plans,
      luck,
      fc.constantFrom("rollback" as const, "hold" as const),
      (plan, dice, onFailure) => {
        const { state, stuck } = play(plan, dice, onFailure);
        expect(stuck).toBe(false);
        expect(["Succeeded", "Held", "RolledBack", "RollbackFailed"]).toContain(state.phase);
        if (onFailure === "rollback") expect(state.phase).not.toBe("Held");
        expect(state.steps.filter(({ phase }) => phase === "Running" || phase === "Compensating")).toEqual(
          [],
        );
      },
    ),
  );
});

test("a rollback accounts for exactly the effects of the run: released, or listed as orphans", () => {
  fc.assert(
    fc.property(plans, luck, (plan, dice) => {
      const { state, events } = play(plan, dice, "rollback");
      const touched = new Set(
        events.flatMap((event) => (event.type === "EffectsIntended" ? event.effects.map(effectKey) : [])),
      );
      const released = new Set(
        events.flatMap((event) =>
          event.type === "EffectsReleased" ? event.results.map(({ effect }) => effectKey(effect)) : [],
        ),
      );
      const orphans = state.orphans.map(effectKey);
      if (state.phase === "Succeeded") expect(released.size).toBe(0);
      else expect(new Set([...released, ...orphans])).toEqual(touched);
      expect(orphans.filter((key) => released.has(key))).toEqual([]);
      expect(state.phase === "RolledBack").toBe(state.phase !== "Succeeded" && orphans.length === 0);
    }),
  );
});

test("any prefix of a run can be taken over: rolled back to its end, or gone on with", () => {
  fc.assert(
    fc.property(plans, luck, fc.nat(), fc.boolean(), (plan, dice, cut, back) => {
      const { events } = play(plan, dice, "hold");
      const prefix = events.slice(0, 1 + (cut % events.length));
      let state = replay(request, prefix);
      state = reduce(state, { type: "RunTaken", at, epoch: 2, holder: "other", by: "ben" });
      if (back) state = reduce(state, { type: "RollbackStarted", at, by: "ben", dataStores: "delete" });
      expect(decide(state, { live: new Set(), onFailure: "hold" })).not.toEqual([]);
      expect(state.steps.filter(({ phase }) => phase === "Running" || phase === "Compensating")).toEqual([]);
    }),
  );
});

test("compensation goes backwards: nothing is undone before what needs it", () => {
  fc.assert(
    fc.property(plans, luck, (plan, dice) => {
      const { events } = play(plan, dice, "rollback");
      const made = new Set(events.flatMap((event) => (event.type === "EffectsIntended" ? [event.step] : [])));
      const undone = events.flatMap((event) => (event.type === "CompensationStarted" ? [event.step] : []));
      for (const { id, needs } of plan.steps) {
        if (!undone.includes(id) || !made.has(id)) continue;
        for (const need of needs) {
          if (undone.includes(need)) expect(undone.indexOf(id)).toBeLessThan(undone.indexOf(need));
        }
      }
    }),
  );
});
