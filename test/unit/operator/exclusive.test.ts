import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newWorld, Process, type World, type Write } from "./world.ts";

/** What happens to processes; `which` counts those that live. */
type Happening =
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "freeze" | "goOn" | "kill" | "stop" | "start"; readonly which: number }
  | { readonly kind: "cut"; readonly which: number; readonly ms: number };

const which = fc.nat({ max: 2 });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("pass"), ms: fc.integer({ min: 0, max: 20_000 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constantFrom("freeze", "goOn", "kill", "stop", "start"), which }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("cut"), which, ms: fc.integer({ min: 0, max: 30_000 }) }),
  },
);

/** Writes of two processes to one key that were under way at the same time. */
function clashes(writes: readonly Write[]): readonly (readonly [Write, Write])[] {
  return writes.flatMap((one, index) =>
    writes
      .slice(index + 1)
      .filter(({ key, by, from, to }) => key === one.key && by !== one.by && from < one.to && one.from < to)
      .map((other) => [one, other] as const),
  );
}

/** Plays it out, then lets everything recover. */
async function play(
  world: World,
  layouts: readonly number[],
  happenings: readonly Happening[],
): Promise<readonly Process[]> {
  let count = 0;
  const begin = (shards: number) => new Process(world, `process-${count++}`, shards);
  let alive = layouts.map((shards) => begin(shards));
  for (const event of happenings) {
    const process = "which" in event ? alive[event.which % Math.max(1, alive.length)] : undefined;
    if (event.kind === "pass") await world.time.pass(event.ms);
    else if (event.kind === "start") {
      if (alive.length < 4) alive.push(begin(layouts[event.which % layouts.length] ?? 1));
    } else if (process === undefined) continue;
    else if (event.kind === "cut") process.cut(event.ms);
    else if (event.kind === "freeze") process.freeze();
    else if (event.kind === "goOn") process.goOn();
    else {
      alive = alive.filter((one) => one !== process);
      if (event.kind === "kill") process.kill();
      else {
        process.goOn();
        process.stop().catch(() => {});
      }
    }
  }
  for (const process of alive) process.goOn();
  await world.time.pass(70_000);
  return alive;
}

const chances = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));

describe("processes that are stopped, killed, cut off and started as chance has it", () => {
  const story = (name: string, layouts: readonly (readonly number[])[], numRuns: number) =>
    test(name, { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...layouts),
          fc.array(happening, { maxLength: 14 }),
          chances,
          async (layout, happenings, chance) => {
            const world = newWorld(() => chance.next().value);
            const alive = await play(world, layout, happenings);
            expect(clashes(world.writes)).toEqual([]);
            const sizes = new Set(layout);
            if (alive.length === 0 || sizes.size > 1) return;
            const held = alive.flatMap(({ holds }) => holds).sort();
            expect(held).toEqual([...world.keys].sort());
          },
        ),
        { numRuns, endOnFailure: true },
      );
    });

  story(
    "one shard: never two at work, and in the end one",
    [
      [1, 1],
      [1, 1, 1],
    ],
    20,
  );
  story(
    "several shards: never two on one key, and in the end every key is somebody's",
    [
      [3, 3],
      [2, 2, 2],
    ],
    12,
  );
  story(
    "different numbers of shards: never two on one key",
    [
      [1, 3],
      [2, 3],
      [3, 1, 2],
    ],
    12,
  );
});

/** A world in which nothing is left to chance. */
async function quietly(...layouts: number[]) {
  const world = newWorld(() => 0.5);
  const processes = layouts.map((shards, index) => new Process(world, `process-${index}`, shards));
  await world.time.pass(30_000);
  return { world, processes, holders: () => processes.filter(({ holds }) => holds.length > 0) };
}

test("a killed leader is followed once its Lease has run out, a stopped one at once", async () => {
  const { world, processes, holders } = await quietly(1, 1);
  const [first] = holders();
  const [second] = processes.filter((process) => process !== first);
  first?.kill();
  const killedAt = world.time.now;
  await world.time.until(() => second?.holds.length === 6);
  expect(world.time.now - killedAt).toBeLessThan(20_000);
  expect(world.time.now - killedAt).toBeGreaterThan(10_000);

  const third = new Process(world, "process-3", 1);
  await world.time.pass(5_000);
  const stopped = second?.stop();
  const stoppedAt = world.time.now;
  await world.time.until(() => third.holds.length === 6);
  await stopped;
  expect(world.time.now - stoppedAt).toBeLessThan(12_000);
});

test("shards are shared out evenly, and handed over to who comes later", async () => {
  const { world, processes } = await quietly(4, 4);
  const shares = () => processes.map(({ holds }) => holds.length);
  expect(shares().reduce((sum, share) => sum + share)).toBe(6);
  expect(Math.min(...shares())).toBeGreaterThan(0);
  const stopped = processes.at(0)?.stop();
  await world.time.pass(14_000);
  await stopped;
  expect(processes.at(1)?.holds).toHaveLength(6);
});

test("from one shard to three: the new ones wait for the old", async () => {
  const { world, processes } = await quietly(1, 3, 3);
  expect(processes.map(({ holds }) => holds.length)).toEqual([6, 0, 0]);
  const stopped = processes.at(0)?.stop();
  await world.time.pass(40_000);
  await stopped;
  const [, one, other] = processes.map(({ holds }) => holds.length);
  expect((one ?? 0) + (other ?? 0)).toBe(6);
});
