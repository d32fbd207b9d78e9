import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { readLease } from "../../../src/cluster/lease.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { systemTiming, type Timing } from "../../../src/cluster/timing.ts";
import type { Controller } from "../../../src/operator/controller.ts";
import type { MakeControllers } from "../../../src/operator/controllers.ts";
import { serveHealth } from "../../../src/operator/health.ts";
import { createLog } from "../../../src/operator/log.ts";
import { createMetrics } from "../../../src/operator/metrics.ts";
import { createOperator } from "../../../src/operator/operator.ts";
import { toyController, writers } from "../../operator/toy-controller.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

/** Operators' time passes so many times as fast. */
const speed = 5;
const timing: Timing = {
  ...systemTiming,
  now: () => new Date(Date.now() * speed),
  sleep: (ms, signal) => systemTiming.sleep(ms / speed, signal),
};

let stage: Awaited<ReturnType<typeof sandboxStage>>;

beforeAll(async () => {
  stage = await sandboxStage();
  await namespace("platform-system");
});

afterAll(() => stage.close());

async function namespace(name: string): Promise<string> {
  await stage.cluster.create(resources.namespaces, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  });
  return name;
}

/** An operator of one Lease of its own, at work; `name` is the Lease's too. */
async function operator(lease: string, identity: string, controllers: MakeControllers, stopMs = 15_000) {
  const lines: string[] = [];
  const metrics = await createMetrics(() => lease);
  const made = createOperator({
    cluster: stage.cluster,
    leases: stage.cluster,
    controllers,
    lease,
    shards: 1,
    identity,
    timing,
    steady: () => performance.now() * speed,
    log: createLog((line) => lines.push(line), { level: "debug", now: () => new Date() }),
    metrics,
    stopMs,
  });
  const stop = new AbortController();
  const over = made.run(stop.signal);
  return {
    metrics,
    health: () => made.health(),
    log: () => lines.join(""),
    async stop() {
      stop.abort(new Error("SIGTERM"));
      await over;
    },
  };
}

const ref = (name: string) => ({ namespace: "platform-system", name });

async function holderOf(lease: string): Promise<string> {
  return readLease(await stage.cluster.get(resources.leases, ref(lease))).holder;
}

const patient = { timeout: 20_000, interval: 20 };
const toys =
  (where: string): MakeControllers =>
  async ({ cluster, identity }) => [toyController(cluster, where, identity)];

test("one works and tells how it is, one stands by; stopped in good order, the other goes on at once", async () => {
  const where = await namespace("toys-of-two");
  const first = await operator("two", "first", toys(where));
  await expect.poll(() => writers(stage.cluster, where), patient).toContain("first");
  const second = await operator("two", "second", toys(where));
  await using servers = await served(second);
  await expect.poll(() => second.log(), patient).toContain("the operator begins");
  expect(await servers.ask("/readyz")).toMatchObject({
    status: 200,
    text: expect.stringContaining("stands by"),
  });

  await first.stop();
  expect(first.health().ready).toBe(false);
  const before = (await writers(stage.cluster, where)).length;
  await expect
    .poll(async () => (await writers(stage.cluster, where)).length, patient)
    .toBeGreaterThan(before);
  expect((await writers(stage.cluster, where)).slice(before)).not.toContain("first");
  await expect
    .poll(() => servers.ask("/readyz"), patient)
    .toEqual({ status: 200, text: expect.stringContaining("[+] caches of toys") });
  expect(await servers.ask("/healthz")).toMatchObject({ status: 200 });
  expect(await servers.ask("/elsewhere")).toMatchObject({ status: 404 });
  await second.stop();
  expect(await holderOf("two")).toBe("");
});

test("metrics have controller-runtime's names", async () => {
  let failed = false;
  const once: Controller = {
    name: "once",
    workers: 2,
    start: async (enqueue) => enqueue("shop/ledger"),
    async reconcile() {
      if (failed) return undefined;
      failed = true;
      throw new Error("the first time fails");
    },
  };
  const one = await operator("metrics", "one", async () => [once]);
  const values = async (...wanted: string[]) => {
    const text = await one.metrics.text();
    return wanted.map((name) =>
      text
        .split("\n")
        .find((line) => line.startsWith(`${name} `))
        ?.slice(name.length + 1),
    );
  };
  await expect
    .poll(
      () =>
        values(
          'controller_runtime_reconcile_total{controller="once",result="success"}',
          'controller_runtime_reconcile_total{controller="once",result="error"}',
          'controller_runtime_reconcile_errors_total{controller="once"}',
          'controller_runtime_reconcile_time_seconds_count{controller="once"}',
          'controller_runtime_max_concurrent_reconciles{controller="once"}',
          'controller_runtime_active_workers{controller="once"}',
          'workqueue_adds_total{name="once",controller="once"}',
          'workqueue_retries_total{name="once",controller="once"}',
          'workqueue_depth{name="once",controller="once"}',
          'workqueue_work_duration_seconds_count{name="once",controller="once"}',
          'leader_election_master_status{name="metrics"}',
        ),
      patient,
    )
    .toEqual(["1", "1", "1", "2", "2", "0", "2", "1", "0", "2", "1"]);
  expect(one.log()).toContain('"key":"shop/ledger","error":"the first time fails"');
  await one.stop();
});

test("who loses its Lease stops at once, and what is left of its work writes nothing", async () => {
  const where = await namespace("toys-of-one");
  const seen: { signal?: AbortSignal; late?: Promise<unknown> } = {};
  const stubborn =
    (cluster: Cluster): Controller["reconcile"] =>
    async (_key, signal) => {
      seen.signal = signal;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      // It does not pass its signal on, and is held back all the same.
      seen.late = cluster.create(resources.configMaps, {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "late", namespace: where },
      });
      await seen.late.catch(() => undefined);
      return undefined;
    };
  const one = await operator("lost", "one", async ({ cluster }) => [
    { name: "stubborn", workers: 1, start: async (enqueue) => enqueue("a/b"), reconcile: stubborn(cluster) },
  ]);
  await expect.poll(() => seen.signal?.aborted, patient).toBe(false);
  const theft = { type: "merge", body: { spec: { holderIdentity: "somebody" } } } as const;
  await stage.cluster.patch(resources.leases, ref("lost"), theft);
  await expect.poll(() => seen.signal?.aborted, patient).toBe(true);
  await expect.poll(() => seen.late !== undefined, patient).toBe(true);
  await expect(seen.late).rejects.toMatchObject({ kind: "conflict" });
  expect(one.log()).toContain("somebody has its Lease");
  expect(one.health()).toMatchObject({ live: true, ready: true });
  await one.stop();
  expect(await holderOf("lost")).toBe("somebody");
});

test("what takes too long is given up when it is stopped, and its Lease kept until no write can be under way", async () => {
  const ended: number[] = [];
  const slow: Controller = {
    name: "slow",
    workers: 1,
    start: async (enqueue) => enqueue("a/b"),
    reconcile: (_key, signal) =>
      new Promise((_, reject) => {
        ended.push(0);
        signal.addEventListener("abort", () => {
          ended[0] = performance.now();
          reject(signal.reason);
        });
      }),
  };
  const one = await operator("slow", "one", async () => [slow], 100);
  await expect.poll(() => ended, patient).toEqual([0]);
  await one.stop();
  const [abortedAt = 0] = ended;
  expect((performance.now() - abortedAt) * speed).toBeGreaterThanOrEqual(7_900);
  expect(await holderOf("slow")).toBe("");
});

/** An operator's ports, asked over HTTP. */
async function served({ health, metrics }: Pick<Awaited<ReturnType<typeof operator>>, "health" | "metrics">) {
  const servers = await serveHealth({ host: "127.0.0.1", healthPort: 0, metricsPort: 0, health, metrics });
  return {
    async ask(path: string) {
      const response = await fetch(`http://127.0.0.1:${servers.healthPort}${path}`);
      return { status: response.status, text: await response.text() };
    },
    [Symbol.asyncDispose]: () => servers.close(),
  };
}
