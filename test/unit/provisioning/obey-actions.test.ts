import { expect, test } from "vitest";
import { resources } from "../../../src/cluster/resource.ts";
import { systemTiming } from "../../../src/cluster/timing.ts";
import { type Action, obeyActions } from "../../../src/provisioning/engine/obey-actions.ts";
import { type RunSpec, readRun } from "../../../src/provisioning/runs/run-record.ts";
import { memoryCluster } from "./memory-cluster.ts";
import { requestedRun } from "./run-examples.ts";

const ref = { namespace: "platform-system", name: "ledger-create-7f3k2" };

/** A living engine's ear for what is asked of its run. */
async function listening(spec: Partial<RunSpec> = {}) {
  let looks = 0;
  const cluster = memoryCluster({
    before: async ({ verb }) => {
      if (verb === "get") looks += 1;
    },
  });
  const record = readRun(await cluster.create(resources.runs, requestedRun(spec)));
  const atRest = new AbortController();
  const obeyed: { readonly action: Action; readonly left: unknown }[] = [];
  const left = () => readRun([...cluster.objects.values()][0] ?? requestedRun()).spec.action;
  const listens = obeyActions({
    cluster,
    clock: { now: () => new Date(), sleep: (ms, signal) => systemTiming.sleep(ms / 1_000, signal) },
    random: () => 0,
    record,
    signal: atRest.signal,
    act: (action) => obeyed.push({ action, left: left() }),
  });
  return {
    cluster,
    obeyed,
    left,
    looks: () => looks,
    ask: (action: Action) =>
      cluster.patch(resources.runs, ref, { type: "merge", body: { spec: { action } } }),
    async [Symbol.asyncDispose]() {
      atRest.abort(new Error("the run is at rest"));
      await listens;
    },
  };
}

test("what is asked is taken away first, then obeyed, each time once", async () => {
  await using it = await listening();
  await it.ask("retry");
  await expect.poll(() => it.obeyed).toEqual([{ action: "retry", left: undefined }]);
  await it.ask("retry");
  await expect.poll(() => it.obeyed).toHaveLength(2);
  await it.ask("cancel");
  await expect.poll(() => it.obeyed.map(({ action }) => action)).toEqual(["retry", "retry", "cancel"]);
});

test("what was asked of the engine before is taken away, and not obeyed", async () => {
  await using it = await listening({ action: "cancel" });
  await expect.poll(() => it.left()).toBeUndefined();
  await it.ask("rollback");
  await expect.poll(() => it.obeyed).toEqual([{ action: "rollback", left: undefined }]);
});

test("a broken connection costs nothing of what is asked", async () => {
  await using it = await listening();
  await it.ask("retry");
  await expect.poll(() => it.obeyed).toHaveLength(1);
  it.cluster.cutWatches();
  await it.ask("cancel");
  await expect.poll(() => it.obeyed.map(({ action }) => action)).toEqual(["retry", "cancel"]);
});

test("events of the journal are no reason to look", async () => {
  await using it = await listening();
  await it.ask("retry");
  await expect.poll(() => it.obeyed).toHaveLength(1);
  for (let writes = 0; writes < 5; writes += 1) {
    const [run] = [...it.cluster.objects.values()];
    if (run === undefined) throw new Error("there is no run");
    await it.cluster.replace(resources.runs, { ...run, status: { writes } }, { subresource: "status" });
  }
  await it.ask("cancel");
  await expect.poll(() => it.obeyed).toHaveLength(2);
  expect(it.looks()).toBe(2);
});
