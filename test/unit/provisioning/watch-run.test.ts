import { expect, test } from "vitest";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { systemTiming } from "../../../src/cluster/timing.ts";
import { Journal } from "../../../src/provisioning/runs/journal.ts";
import type { RunPhase } from "../../../src/provisioning/runs/run.ts";
import { readRun } from "../../../src/provisioning/runs/run-record.ts";
import { watchRun } from "../../../src/provisioning/runs/watch-run.ts";
import { forwarding } from "../../provisioning/fault.ts";
import { memoryCluster } from "./memory-cluster.ts";
import { requestedRun, started } from "./run-examples.ts";

const at = "2026-01-01T00:00:00.000Z";
const hurried = {
  now: () => new Date(),
  sleep: (ms: number, signal?: AbortSignal) => systemTiming.sleep(ms / 1_000, signal),
};

async function watched(through: (cluster: Cluster) => Cluster = (cluster) => cluster) {
  const cluster = memoryCluster();
  const record = readRun(await cluster.create(resources.runs, requestedRun()));
  const journal = new Journal({ cluster, clock: hurried, record, holder: "ann@here:1", token: "a" });
  const stop = new AbortController();
  const phases: RunPhase[] = [];
  const watching = (async () => {
    for await (const { phase } of watchRun(through(cluster), hurried, record.name, stop.signal))
      phases.push(phase);
  })();
  return {
    cluster,
    journal,
    phases,
    remove: () => cluster.delete(resources.runs, { namespace: "platform-system", name: record.name }),
    watching,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error("enough"));
      await watching;
    },
  };
}

test("a run is seen to its end, though every connection breaks", async () => {
  await using it = await watched();
  await expect.poll(() => it.phases).toEqual(["Pending"]);
  await it.journal.append(started(1));
  it.cluster.cutWatches();
  await expect.poll(() => it.phases.at(-1)).toBe("Running");
  it.cluster.cutWatches();
  await it.journal.append({ type: "RunHeld", at });
  await expect.poll(() => it.phases).toEqual(["Pending", "Running", "Held"]);
});

test("a connection that falls silent without a sign hides nothing", async () => {
  const deaf = (cluster: Cluster): Cluster => ({
    ...forwarding(cluster),
    async *watch(_, { signal }) {
      await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
      yield* [];
    },
  });
  await using it = await watched(deaf);
  await expect.poll(() => it.phases).toEqual(["Pending"]);
  await it.journal.append(started(1));
  await expect.poll(() => it.phases).toEqual(["Pending", "Running"]);
  await it.journal.append({ type: "RunHeld", at });
  await expect.poll(() => it.phases).toEqual(["Pending", "Running", "Held"]);
});

test("it ends with its run, also where the connection says nothing of it", async () => {
  await using it = await watched();
  await expect.poll(() => it.phases).toEqual(["Pending"]);
  await it.remove();
  await it.watching;
});
