import { expect, test } from "vitest";
import { apply } from "../../../src/cluster/cluster.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { livingHolder, observeHolder, startHeartbeat } from "../../../src/provisioning/engine/heartbeat.ts";
import { Journal } from "../../../src/provisioning/runs/journal.ts";
import { readRun } from "../../../src/provisioning/runs/run-record.ts";
import { memoryCluster } from "./memory-cluster.ts";
import { requestedRun, started } from "./run-examples.ts";

const never = new AbortController().signal;
const forever = { now: () => new Date(0), sleep: () => new Promise<void>(() => {}) };

/** A run that is taken, and an observer who notes how long it watched, in milliseconds. */
async function observed(identity: string) {
  const cluster = memoryCluster();
  const record = readRun(await cluster.create(resources.runs, requestedRun()));
  const journal = new Journal({ cluster, clock: forever, record, holder: "ann@here:1", token: "a" });
  await journal.append(started(journal.epoch));
  const beat = (holder: string, process: string) =>
    startHeartbeat(cluster, forever, record.object, holder, never, undefined, async () => process);
  await beat("ann@here:1", identity);
  let looks = 0;
  let onLook = async () => {};
  const clock = {
    now: () => new Date(0),
    async sleep(ms: number) {
      // The lease's own timer is the long one: it runs out after a few looks.
      if (ms < 1_000) {
        looks += 1;
        await onLook();
      } else for (let turns = 0; turns < 100; turns += 1) await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  return {
    cluster,
    journal,
    beat,
    looks: () => looks,
    meanwhile: (work: () => Promise<void>) => {
      onLook = work;
    },
    living: () => livingHolder(cluster, clock, record.name),
    observe: () => observeHolder(cluster, clock, record.name),
  };
}

/** This process as the Lease names it, and one that ran here and is gone. */
async function identities() {
  const { cluster } = await observed("");
  const [run] = [...cluster.objects.values()];
  if (run === undefined) throw new Error("there is no run");
  await startHeartbeat(cluster, forever, run, "x", never);
  const lease = [...cluster.objects.values()].find(({ kind }) => kind === "Lease");
  const [own = ""] = Object.values(lease?.metadata.annotations ?? {});
  return { own, gone: own.replace(/\d+$/, "1") };
}

test("a holder that ran on this machine and is gone is dead at once", async () => {
  const { gone } = await identities();
  const it = await observed(gone);
  expect(await it.living()).toBeUndefined();
  expect(it.looks()).toBe(gone === "" ? expect.any(Number) : 0);
});

test("one who wanted the run and did not get it leaves no sign of the holder's death", async () => {
  const { own, gone } = await identities();
  const it = await observed(own);
  await it.beat("loser@here:2", gone);
  it.meanwhile(async () => {
    await apply(it.cluster, resources.leases, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "ledger-create-7f3k2", namespace: "platform-system" },
      spec: { holderIdentity: "ann@here:1", renewTime: "2026-01-01T00:00:02.000000Z" },
    });
  });
  expect(await it.living()).toBe("ann@here:1");
});

test("who writes to its run lives, though its Lease cannot be renewed", async () => {
  const it = await observed("");
  it.meanwhile(() =>
    it.journal.append({ type: "StepStarted", at: "", step: "create_namespace", attempt: 1 }),
  );
  expect(await it.living()).toBe("ann@here:1");
});

test("a run whose Lease somebody removed is not thought dead for that", async () => {
  const it = await observed("");
  await it.cluster.delete(resources.leases, { namespace: "platform-system", name: "ledger-create-7f3k2" });
  it.meanwhile(() =>
    it.journal.append({ type: "StepStarted", at: "", step: "create_namespace", attempt: 1 }),
  );
  expect(await it.living()).toBe("ann@here:1");
});

test("a run found dead is handed out as it was then; one that came to rest meanwhile is nobody's", async () => {
  const it = await observed("");
  const dead = await it.observe();
  expect(dead).toMatchObject({ alive: false, record: { state: { phase: "Running" } } });
  it.meanwhile(() => it.journal.append({ type: "RunHeld", at: "" }));
  expect(await it.observe()).toMatchObject({ alive: false, record: { state: { phase: "Held" } } });
});
