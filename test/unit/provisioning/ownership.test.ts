import { expect, test } from "vitest";
import { ClusterError } from "../../../src/cluster/errors.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { clusterForStep } from "../../../src/provisioning/engine/step-cluster.ts";
import { JournalError } from "../../../src/provisioning/errors.ts";
import { Journal } from "../../../src/provisioning/runs/journal.ts";
import { fencing, Ownership } from "../../../src/provisioning/runs/ownership.ts";
import { readRun } from "../../../src/provisioning/runs/run-record.ts";
import { memoryCluster } from "./memory-cluster.ts";
import { requestedRun, started, taken } from "./run-examples.ts";

const map: KubeObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "n" } };

/** Two clocks that this test moves: `both` as time passes, one of them as it is set or as a machine sleeps. */
function clocks() {
  let [wall, steady] = [1_000_000, 0];
  return {
    moments: () => ({ wall, steady }),
    pass: (ms: number) => {
      wall += ms;
      steady += ms;
    },
    /** Suspended: the steady clock stands still. */
    sleep: (ms: number) => {
      wall += ms;
    },
    /** The time of day is set back while the process is stopped. */
    stopAndSetBack: (ms: number) => {
      steady += ms;
      wall -= 3_600_000;
    },
    clock: { now: () => new Date(wall), sleep: async () => {} },
  };
}

async function twoEngines() {
  const time = clocks();
  let onGet = async () => {};
  const cluster = memoryCluster({ after: async ({ verb }) => (verb === "get" ? onGet() : undefined) });
  const record = readRun(await cluster.create(resources.runs, requestedRun()));
  const engine = (from: typeof record, token: string) =>
    new Journal({
      cluster,
      clock: time.clock,
      record: from,
      holder: `${token}@here:1`,
      token,
      moments: time.moments,
    });
  const first = engine(record, "first");
  await first.append(started(first.epoch));
  return {
    time,
    cluster,
    first,
    fenced: clusterForStep(cluster, "create_namespace", first.ownership),
    /** Happens between another engine's look at the Run and its taking it. */
    meanwhile(work: () => Promise<void>) {
      onGet = async () => {
        onGet = async () => {};
        await work();
      };
    },
    async takeOver() {
      const ref = { namespace: "platform-system", name: record.name };
      const second = engine(readRun(await cluster.get(resources.runs, ref)), "second");
      await second.append(taken(second.epoch));
      return second;
    },
  };
}

const stalls = ["pass", "sleep", "stopAndSetBack"] as const;

test.each(stalls)("an engine that stalled (%s) while another took its run writes nothing", async (stall) => {
  const { time, cluster, fenced, first, takeOver } = await twoEngines();
  time[stall](fencing.leaseMs);
  await takeOver();
  const before = [...cluster.writes];
  const error = await fenced.create(resources.configMaps, map).catch((reason) => reason);
  expect(error).toBeInstanceOf(JournalError);
  expect(error.message).toContain("was taken over by ben@there:2");
  expect(cluster.writes).toEqual(before);
  expect(first.lost.aborted).toBe(true);
  await expect(fenced.delete(resources.configMaps, { name: "a" })).rejects.toBe(error);
});

test.each(stalls)(
  "an engine that stalled (%s) and still has its run asks once, then writes",
  async (stall) => {
    const { time, cluster, fenced } = await twoEngines();
    time[stall](fencing.marginMs);
    const asked = cluster.writes.length;
    await Promise.all(
      ["a", "b", "c"].map((name) => fenced.create(resources.configMaps, { ...map, metadata: { name } })),
    );
    expect(cluster.writes.slice(asked)).toEqual([
      expect.stringContaining("replace runs"),
      "create configmaps a",
      "create configmaps b",
      "create configmaps c",
    ]);
  },
);

test("within the margin nothing is asked", async () => {
  const { time, cluster, fenced } = await twoEngines();
  time.pass(fencing.marginMs - 1);
  const asked = cluster.writes.length;
  await fenced.create(resources.configMaps, map);
  expect(cluster.writes.slice(asked)).toEqual(["create configmaps a"]);
});

test("who takes a run whose holder asks at that moment does not get it", async () => {
  const { time, first, meanwhile, takeOver } = await twoEngines();
  time.pass(fencing.leaseMs);
  meanwhile(() => first.ownership.ensure());
  await expect(takeOver()).rejects.toMatchObject({
    kind: "lost-epoch",
    message: expect.stringContaining("is being executed by ann@here:1"),
  });
  await first.append({ type: "RunHeld", at: "2026-01-01T00:00:00.000Z" });
});

test("renewals keep a run certain; one that comes after the lease ran out does not", async () => {
  const time = clocks();
  let asked = 0;
  const ownership: Ownership = new Ownership(time.moments, async () => {
    asked += 1;
    ownership.written(ownership.moment());
  });
  ownership.written(ownership.moment());
  for (let renewals = 0; renewals < 20; renewals += 1) {
    time.pass(fencing.renewEveryMs);
    ownership.renewed(ownership.moment());
    await ownership.ensure();
  }
  expect(asked).toBe(0);
  time.pass(fencing.leaseMs);
  ownership.renewed(ownership.moment());
  await ownership.ensure();
  expect(asked).toBe(1);
});

test("a cluster that takes longer to answer than an answer is worth is not written to", async () => {
  const time = clocks();
  const ownership: Ownership = new Ownership(time.moments, async () => {
    const sent = ownership.moment();
    time.pass(fencing.marginMs);
    ownership.written(sent);
  });
  await expect(ownership.ensure()).rejects.toBeInstanceOf(ClusterError);
});

test("a write is over before anybody else may think its engine dead", () => {
  expect(fencing.marginMs + fencing.writeTimeoutMs).toBeLessThan(fencing.leaseMs);
  expect(2 * fencing.renewEveryMs).toBeLessThan(fencing.marginMs);
});
