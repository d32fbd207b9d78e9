import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoff } from "../../../src/operator/backoff.ts";
import type { Priority } from "../../../src/operator/controller.ts";
import { Queue } from "../../../src/operator/queue.ts";
import { TestTime } from "./test-time.ts";

const quiet = { added() {}, taken() {}, finished() {}, retried() {} };

function queueAt(time: TestTime, observer = quiet) {
  return new Queue({ steady: () => time.now, sleep: time.sleep, random: () => 0.5 }, observer);
}

/** Takes what is ready, without waiting. */
async function takeAll(queue: Queue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) keys.push((await queue.take()) ?? "");
  return keys;
}

test("a key asked for many times is worked on once, and once more when asked for meanwhile", async () => {
  const queue = queueAt(new TestTime());
  for (let times = 0; times < 3; times++) queue.add("n/a");
  expect(await takeAll(queue)).toEqual(["n/a"]);
  for (let times = 0; times < 3; times++) queue.add("n/a");
  expect(queue.depth).toBe(0);
  queue.finished("n/a", { kind: "done" });
  expect(await takeAll(queue)).toEqual(["n/a"]);
  queue.finished("n/a", { kind: "done" });
  expect(queue.depth).toBe(0);
});

test("high goes first, and low has its turn all the same", async () => {
  const queue = queueAt(new TestTime());
  queue.add("n/low", "low");
  for (let index = 0; index < 20; index++) queue.add(`n/high-${index}`);
  expect((await takeAll(queue)).indexOf("n/low")).toBe(8);
});

test("asked for again as high, a key leaves the low ones behind", async () => {
  const queue = queueAt(new TestTime());
  queue.add("n/a", "low");
  queue.add("n/b", "low");
  queue.add("n/b", "high");
  expect(await takeAll(queue)).toEqual(["n/b", "n/a"]);
});

test("a key that fails waits longer each time, and from the beginning once it went well", async () => {
  const time = new TestTime();
  const queue = queueAt(time);
  const waits: number[] = [];
  const fail = async (atLeastMs?: number) => {
    const began = time.now;
    queue.finished(String(await queue.take()), { kind: "failed", atLeastMs });
    await time.until(() => queue.depth > 0);
    waits.push(time.now - began);
  };
  queue.add("n/a");
  await fail();
  await fail();
  await fail();
  await fail(5_000);
  queue.finished(String(await queue.take()), { kind: "done" });
  queue.add("n/a");
  await fail();
  expect(waits).toEqual([3.75, 7.5, 15, 5_000, 3.75]);
});

test("a change makes a failing key's long wait a second, and never nothing", async () => {
  const time = new TestTime();
  const queue = queueAt(time);
  queue.add("n/a");
  for (let failures = 0; failures < 20; failures++) {
    queue.finished(String(await queue.take()), { kind: "failed" });
    if (failures < 19) await time.until(() => queue.depth > 0);
  }
  const failedAt = time.now;
  queue.add("n/a");
  expect(queue.depth).toBe(0);
  await time.until(() => queue.depth > 0);
  expect(time.now - failedAt).toBe(1_000);
});

test("a look wanted later is forgotten when the key is looked at sooner", async () => {
  const time = new TestTime();
  const queue = queueAt(time);
  queue.add("n/a");
  queue.finished(String(await queue.take()), { kind: "done", againMs: 10_000 });
  queue.add("n/a");
  queue.finished(String(await queue.take()), { kind: "done" });
  await time.pass(60_000);
  expect(queue.depth).toBe(0);
});

test("a closed queue lets those who wait go", async () => {
  const queue = queueAt(new TestTime());
  const waiting = queue.take();
  queue.close();
  expect(await waiting).toBeUndefined();
  queue.add("n/a");
  expect(await queue.take()).toBeUndefined();
});

test("backoff stays between half its ceiling and its ceiling of five minutes", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (n, r) => {
        const wait = backoff(n, r);
        expect(wait).toBeGreaterThanOrEqual(2.5);
        expect(wait).toBeLessThanOrEqual(300_000);
        expect(backoff(n + 1, r)).toBeGreaterThanOrEqual(wait);
      },
    ),
  );
});

/** What can happen to a queue. */
type Happening =
  | { readonly kind: "add"; readonly key: string; readonly priority: Priority }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "take" }
  | { readonly kind: "finish"; readonly which: number; readonly how: "done" | "again" | "failed" };

const key = fc.constantFrom("n/a", "n/b", "n/c", "m/a");
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant("add"), key, priority: fc.constantFrom<Priority>("high", "low") }),
  fc.record({ kind: fc.constant("pass"), ms: fc.integer({ min: 0, max: 5_000 }) }),
  fc.record({ kind: fc.constant("take") }),
  fc.record({
    kind: fc.constant("finish"),
    which: fc.nat({ max: 3 }),
    how: fc.constantFrom("done", "again", "failed"),
  }),
);

describe("whatever happens", () => {
  test("no key is with two workers, and none that was asked for is lost", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 60 }), async (happenings) => {
        const time = new TestTime();
        const queue = queueAt(time);
        const inHand: string[] = [];
        /** Asked for, or promised, and not taken since. */
        const owed = new Set<string>();
        const take = async () => {
          if (queue.depth === 0) return;
          const taken = String(await queue.take());
          expect(inHand).not.toContain(taken);
          inHand.push(taken);
          owed.delete(taken);
        };
        const finish = (which: number, how: "done" | "again" | "failed") => {
          const [done] = inHand.splice(which % Math.max(1, inHand.length), 1);
          if (done === undefined) return;
          if (how !== "done") owed.add(done);
          if (how === "failed") queue.finished(done, { kind: "failed" });
          else queue.finished(done, { kind: "done", againMs: how === "again" ? 3_000 : undefined });
        };
        for (const event of happenings) {
          if (event.kind === "add") {
            owed.add(event.key);
            queue.add(event.key, event.priority);
          } else if (event.kind === "pass") await time.pass(event.ms);
          else if (event.kind === "take") await take();
          else finish(event.which, event.how);
        }
        while (inHand.length > 0) finish(0, "done");
        // Within the longest of: the wait for another look, the backoff of 60 failures.
        for (let rounds = 0; rounds < 20 && owed.size > 0; rounds++) {
          await time.pass(300_000);
          while (queue.depth > 0) {
            await take();
            finish(0, "done");
          }
        }
        expect([...owed]).toEqual([]);
        await time.pass(3_600_000);
        expect(queue.depth).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test("its counts agree: what is added is taken, and what is taken is finished", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 60 }), async (happenings) => {
        const time = new TestTime();
        const count = { added: 0, taken: 0, finished: 0 };
        const queue = queueAt(time, {
          ...quiet,
          added: () => count.added++,
          taken: () => count.taken++,
          finished: () => count.finished++,
        });
        const inHand: string[] = [];
        for (const event of happenings) {
          if (event.kind === "add") queue.add(event.key, event.priority);
          else if (event.kind === "pass") await time.pass(event.ms);
          else if (event.kind === "take") {
            if (queue.depth > 0) inHand.push(String(await queue.take()));
          } else {
            const done = inHand.shift();
            if (done === undefined) continue;
            queue.finished(done, event.how === "failed" ? { kind: "failed" } : { kind: "done" });
          }
          expect(count.taken - count.finished).toBe(queue.inHand().length);
          expect(queue.inHand()).toHaveLength(inHand.length);
        }
        for (const done of inHand) queue.finished(done, { kind: "done" });
        await time.pass(3_600_000);
        while (queue.depth > 0) queue.finished(String(await queue.take()), { kind: "done" });
        expect(count.added).toBe(count.taken);
        expect(count.finished).toBe(count.taken);
      }),
      { numRuns: 200 },
    );
  });
});
