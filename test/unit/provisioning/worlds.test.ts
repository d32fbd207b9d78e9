import fc from "fast-check";
import { expect, test } from "vitest";
import { atRest, decide, isOver } from "../../../src/provisioning/engine/decide.ts";
import { stepIds } from "../../../src/provisioning/plan.ts";
import { isReversible } from "../../../src/provisioning/rollback/rollback.ts";
import { effectKey } from "../../../src/provisioning/runs/effect.ts";
import { inPlay, reduce, replay } from "../../../src/provisioning/runs/run-reducer.ts";
import { verbsOf } from "../../../src/provisioning/verbs/verbs.ts";
import { type Dice, planOf, request, World } from "./world.ts";

/** Plans of any shape. */
const plans = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: stepIds.length })
  .map(planOf);
const luck = fc.array(fc.nat(1_000_000), { minLength: 20, maxLength: 400 });

function diceOf(throws: readonly number[]): { readonly dice: Dice; readonly left: () => boolean } {
  let next = 0;
  return {
    dice: (sides) => (throws[next++] ?? 999_999) % Math.max(1, sides),
    left: () => next < throws.length,
  };
}
/** Nothing goes wrong any more. */
const calm: Dice = (sides) => Math.max(0, sides - 1);

/** A world in which everything that can happen to a run has happened to it; `look` sees each state on the way. */
function lived(plan: ReturnType<typeof planOf>, throws: readonly number[], look = (_: World) => {}): World {
  const world = new World(plan);
  const { dice, left } = diceOf(throws);
  look(world);
  while (left() && world.turn(dice)) look(world);
  return world;
}

const all = { numRuns: 200 };

test("from every state something leads on: an engine's command, a person's verb, or it is over", () => {
  fc.assert(
    fc.property(plans, luck, (plan, throws) => {
      lived(plan, throws, ({ state, alive, live }) => {
        if (alive) {
          expect(atRest(state)).toBe(false);
          expect(live.size + decide(state, { live, onFailure: "hold" }).length).toBeGreaterThan(0);
        } else if (state.phase === "RolledBack") {
          expect(verbsOf(state)).toEqual([]);
        } else if (!isOver(state)) {
          expect(verbsOf(state)).not.toEqual([]);
        }
      });
    }),
    all,
  );
});

test("whatever happened to it, a run that is left in peace is brought to its end, and tells the truth", () => {
  fc.assert(
    fc.property(plans, luck, fc.constantFrom("forwards" as const, "back" as const), (plan, throws, wish) => {
      const world = lived(plan, throws);
      let turns = 0;
      while (world.state.phase !== "RolledBack" && world.state.phase !== "Succeeded") {
        turns += 1;
        expect(turns).toBeLessThan(500);
        if (world.alive) {
          world.turn(calm);
          continue;
        }
        const verbs = verbsOf(world.state);
        const back = wish === "back" && isReversible(world.state) && verbs.includes("rollback");
        const [first] = verbs.filter((verb) => verb === "resume" || verb === "retry");
        world.person(back && world.state.phase !== "RollingBack" ? "rollback" : (first ?? "cancel"), calm);
      }
      const { state, outside, kept } = world;
      const left = [...outside].filter((key) => !kept.has(key));
      if (state.phase === "RolledBack") {
        expect(left).toEqual([]);
        expect(state.steps.flatMap(({ effects }) => effects.filter(inPlay))).toEqual([]);
      } else {
        expect(state.steps.map(({ id }) => id)).toEqual(plan.steps.map(({ id }) => id));
        for (const step of state.steps) expect(["Succeeded", "Skipped"]).toContain(step.phase);
      }
    }),
    all,
  );
});

test("a rollback accounts for every effect of the run and for no other", () => {
  fc.assert(
    fc.property(plans, luck, (plan, throws) => {
      lived(plan, throws, ({ state, outside, kept, events }) => {
        if (state.phase !== "RolledBack" && state.phase !== "RollbackFailed") return;
        const intended = new Set(
          events.flatMap((event) => (event.type === "EffectsIntended" ? event.effects.map(effectKey) : [])),
        );
        const known = state.steps.flatMap(({ effects }) => effects.map(({ effect }) => effectKey(effect)));
        expect(new Set(known)).toEqual(intended);
        const orphans = state.orphans.map(effectKey);
        // What exists and was not kept on purpose is listed, whatever was recorded of it.
        expect([...outside].filter((key) => !kept.has(key) && !orphans.includes(key))).toEqual([]);
        expect(state.phase === "RolledBack").toBe(orphans.length === 0);
      });
    }),
    all,
  );
});

test("a journal means the same read at once, in parts, and after a journey through JSON", () => {
  fc.assert(
    fc.property(plans, luck, fc.nat(), (plan, throws, cut) => {
      const { events, state } = lived(plan, throws);
      expect(replay(request, events)).toEqual(state);
      const start = cut % (events.length + 1);
      const part = replay(request, events.slice(0, start));
      expect(events.slice(start).reduce(reduce, part)).toEqual(state);
      expect(replay(request, JSON.parse(JSON.stringify(events)))).toEqual(state);
    }),
    all,
  );
});

test("nobody works on a run that is at rest, and none of its steps says so", () => {
  fc.assert(
    fc.property(plans, luck, (plan, throws) => {
      lived(plan, throws, ({ state }) => {
        if (!atRest(state)) return;
        expect(state.finishedAt).toBeDefined();
        const working = state.steps.filter(
          ({ phase }) => phase === "Running" || phase === "Retrying" || phase === "Compensating",
        );
        expect(working).toEqual([]);
      });
    }),
    all,
  );
});
