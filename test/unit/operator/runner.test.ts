import { expect, test } from "vitest";
import type { Controller, Enqueue } from "../../../src/operator/controller.ts";
import { createLog } from "../../../src/operator/log.ts";
import { Runner } from "../../../src/operator/runner.ts";
import { shardOf } from "../../../src/operator/shards.ts";
import { TestTime } from "./test-time.ts";

const shards = 3;
/** Two keys of each namespace, among them one of the namespace itself. */
const keys = Array.from({ length: 12 }, (_, index) => [`team-${index}/app`, `team-${index}`]).flat();
const ofShard = (shard: number) =>
  keys.filter((key) => shardOf(key.split("/")[0] ?? "", shards) === shard).sort();

/** A runner whose reconciles end when the test says so, or when they are aborted. */
function running(ours: Set<number>) {
  const time = new TestTime();
  const inHand = new Map<string, { readonly end: () => void }>();
  const released: string[] = [];
  const aside = Promise.withResolvers<void>();
  let enqueue: Enqueue = () => {};
  let starts = 0;
  const controller: Controller = {
    name: "held",
    workers: keys.length,
    async start(tell) {
      starts += 1;
      if (starts === 1) throw new Error("the first start fails");
      enqueue = tell;
      for (const key of keys) tell(key, "low");
    },
    reconcile: (key, signal) =>
      new Promise((resolve, reject) => {
        const end = () => inHand.delete(key);
        inHand.set(key, { end: () => end() && resolve(undefined) });
        signal.addEventListener("abort", () => end() && reject(signal.reason));
      }),
    release: (key) => released.push(key),
    settled: () => aside.promise,
  };
  const runner = new Runner({
    controller,
    shards,
    ours,
    time: { steady: () => time.now, sleep: time.sleep, random: () => 0.5 },
    log: createLog(() => {}, { level: "error", now: () => new Date(0) }),
    observe: () => ({ added() {}, taken() {}, finished() {}, retried() {}, began() {}, ended() {} }),
  });
  const over = new AbortController();
  const ended = runner.run(over.signal);
  return { time, inHand, released, aside, runner, ended, over, enqueue: (key: string) => enqueue(key) };
}

/** Lets all that follows from what has happened happen. */
const settle = (time: TestTime) => time.pass(0);

test("a controller that could not start is started again; then the keys of our shards are worked on", async () => {
  const { time, inHand, runner } = running(new Set([1]));
  await settle(time);
  expect(runner.synced).toBe(false);
  await time.pass(5_000);
  expect(runner.synced).toBe(true);
  expect([...inHand.keys()].sort()).toEqual(ofShard(1));
});

test("a shard that is gained brings its keys; one that is lost ends at once what is in hand", async () => {
  const ours = new Set([1]);
  const { time, inHand, runner, enqueue } = running(ours);
  await time.pass(5_000);
  ours.add(2);
  runner.gained(2);
  await settle(time);
  expect([...inHand.keys()].sort()).toEqual([...ofShard(1), ...ofShard(2)].sort());
  ours.delete(1);
  runner.lost(1, "another has it");
  for (const key of keys) enqueue(key);
  await settle(time);
  expect([...inHand.keys()].sort()).toEqual(ofShard(2));
});

test("a shard that is handed over is calm once what is in hand has ended, and what takes long is told", async () => {
  const ours = new Set([0, 1, 2]);
  const { time, inHand, released, aside, runner } = running(ours);
  aside.resolve();
  await time.pass(5_000);
  ours.delete(0);
  let calm = false;
  const drained = runner.drained(0).then(() => {
    calm = true;
  });
  await settle(time);
  expect(calm).toBe(false);
  expect(released.sort()).toEqual(ofShard(0));
  for (const key of ofShard(0)) inHand.get(key)?.end();
  await drained;
  expect([...inHand.keys()].sort()).toEqual([...ofShard(1), ...ofShard(2)].sort());
});

test("stopped, it begins nothing more, and waits for what is in hand and what is still to be written", async () => {
  const { time, inHand, aside, runner, ended, enqueue } = running(new Set([0, 1, 2]));
  await time.pass(5_000);
  let calm = false;
  const stopped = runner.stop().then(() => {
    calm = true;
  });
  for (const key of keys) enqueue(key);
  for (const { end } of [...inHand.values()]) end();
  await settle(time);
  expect(calm).toBe(false);
  aside.resolve();
  await stopped;
  await ended;
  expect(inHand.size).toBe(0);
});
