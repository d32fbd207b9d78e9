import { describe, expect, it, test } from "vitest";
import { resources } from "../../../src/cluster/resource.ts";
import { readRun, runName } from "../../../src/provisioning/runs/run-record.ts";
import { withDeadHolders } from "../../../src/state/dead-holders.ts";
import type { UseCases } from "../../../src/state/feeds/feed.ts";
import { feedHolders, takeTurns } from "../../../src/state/feeds/holders.ts";
import { createStores } from "../../../src/state/stores.ts";
import { memoryCluster } from "../provisioning/memory-cluster.ts";
import { requestedRun } from "../provisioning/run-examples.ts";
import { service } from "../screens/examples.ts";

const names = (count: number) =>
  Array.from({ length: count }, (_, index) => runName(`ledger-scale-${index}`));

describe("whose holders are looked for", () => {
  it("are those on the screen before all others", () => {
    const runs = names(40);
    const shown = new Set<string>(runs.slice(30));
    expect(takeTurns(10).next(runs, shown)).toEqual(runs.slice(30));
  });

  it("is everybody on the screen in turn, where it has more than are looked for at once", () => {
    const runs = names(25);
    const turns = takeTurns(10);
    const all = new Set<string>(runs);
    const looked = new Set([1, 2, 3].flatMap(() => turns.next(runs, all)));
    expect(looked).toEqual(all);
  });

  it("is everybody in turn, where the screen leaves room", () => {
    const runs = names(25);
    const turns = takeTurns(10);
    const shown = new Set<string>(runs.slice(0, 2));
    const looked = new Set([1, 2, 3].flatMap(() => turns.next(runs, shown)));
    expect(looked.size).toBe(25);
  });
});

const scaling = service("ledger", {
  verdict: "working",
  reason: "waiting for 1 of 2 replicas",
  lastRun: { name: "ledger-scale-7f3k2", operation: "scale", phase: "Running", at: "2026-03-01T11:00:00Z" },
});

describe("a service whose run lost its holder", () => {
  const holders = { "ledger-scale-7f3k2": "dead" } as const;

  it("needs a person, and says what to type", () => {
    const [first, second] = withDeadHolders([service("billing"), scaling], holders);
    expect(first).toMatchObject({
      name: "ledger",
      verdict: "degraded",
      reason: "scale lost its holder: platform run resume ledger-scale-7f3k2",
      lastRun: { holderGone: true },
    });
    expect(second?.name).toBe("billing");
  });

  it("is what it was once the run rests, or somebody works on it again", () => {
    const rested = service("ledger", {
      lastRun: { name: "ledger-scale-7f3k2", operation: "scale", phase: "Succeeded", at: "" },
    });
    const rows = [rested];
    expect(withDeadHolders(rows, holders)).toBe(rows);
    const living = [scaling];
    expect(withDeadHolders(living, { "ledger-scale-7f3k2": "living" })).toBe(living);
  });
});

test("who executes the run of a row on the screen is looked for, and of no other", async () => {
  const cluster = memoryCluster();
  const { name } = readRun(await cluster.create(resources.runs, requestedRun()));
  const stores = createStores({ context: "memory", simulated: true, now: 0 });
  const lastRun = { name, operation: "create", phase: "Pending", at: "" } as const;
  const elsewhere = { ...lastRun, name: "billing-create-x2m9q" };
  stores.fleet.setState({
    services: [service("ledger", { lastRun }), service("billing", { lastRun: elsewhere })],
  });
  const stop = new AbortController();
  const asked: string[] = [];
  const useCases = {
    cluster,
    provisioner: {
      get: async (run: string) => {
        asked.push(run);
        return readRun(await cluster.get(resources.runs, { namespace: "platform-system", name: run })).state;
      },
    },
    clock: {
      now: () => new Date("2027-01-01T00:00:00Z"),
      sleep: () => new Promise<void>((resolve) => setImmediate(resolve)),
    },
  } as unknown as UseCases;
  const found = new Promise<void>((resolve) => {
    stores.openRuns.subscribe(({ holders }) => {
      if (holders[name] === "dead") resolve();
    });
  });
  const feeding = feedHolders(() => new Set([name]))(stores, useCases, stop.signal);
  await found;
  stop.abort();
  await feeding;
  expect(new Set(asked)).toEqual(new Set([name]));
});
