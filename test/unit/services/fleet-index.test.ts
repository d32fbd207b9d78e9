import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ApplicationFacts, RunFacts, WorkloadFacts } from "../../../src/services/facts.ts";
import { FleetIndex } from "../../../src/services/fleet-index.ts";
import { byUrgency } from "../../../src/services/row.ts";
import { serviceKey, serviceOfKey } from "../../../src/services/service.ts";

const names = ["a", "b", "c", "d", "e"];

const namespace = (service: string, terminating: boolean) => ({
  name: `app-${service}`,
  service,
  team: "payments",
  createdAt: "2026-01-01T00:00:00Z",
  terminating,
});
const workload = (service: string, ready: number): WorkloadFacts => ({
  name: service,
  namespace: `app-${service}`,
  component: "workload",
  pods: { ready, wanted: 2 },
  image: "x",
  settled: true,
  problem: "",
});
const run = (service: string, number: number, phase: RunFacts["phase"]): RunFacts => ({
  name: `${service}-create-${number}`,
  service,
  operation: "create",
  phase,
  message: "",
  at: `2026-01-0${number}T00:00:00Z`,
});

const application = (namespace: string, name: string): ApplicationFacts => ({
  name,
  namespace,
  team: "payments",
  image: "x",
  starter: false,
  replicas: 2,
  database: false,
  cache: false,
  monitored: false,
  createdAt: "2026-01-02T00:00:00Z",
  terminating: false,
});

const name = fc.constantFrom(...names);
const change = fc.oneof(
  fc.record({ type: fc.constant("namespace" as const), name, gone: fc.boolean(), terminating: fc.boolean() }),
  fc.record({
    type: fc.constant("workload" as const),
    name,
    gone: fc.boolean(),
    ready: fc.integer({ min: 0, max: 2 }),
  }),
  fc.record({
    type: fc.constant("run" as const),
    name,
    gone: fc.boolean(),
    number: fc.integer({ min: 1, max: 3 }),
    phase: fc.constantFrom("Running", "Held", "Succeeded"),
    place: fc.constantFrom("", "production/"),
  }),
  fc.record({ type: fc.constant("update" as const) }),
  fc.record({ type: fc.constant("shared" as const), gone: fc.boolean() }),
  fc.record({
    type: fc.constant("application" as const),
    name,
    namespace: fc.constantFrom("production", "app-a"),
    gone: fc.boolean(),
  }),
);

function take(index: FleetIndex, each: typeof change extends fc.Arbitrary<infer T> ? T : never): void {
  const changes = <T>(key: string, gone: boolean, facts: T) => ({
    changed: gone ? new Map<string, T>() : new Map([[key, facts]]),
    removed: new Set(gone ? [key] : []),
    complete: true,
  });
  switch (each.type) {
    case "namespace":
      index.takeNamespaces(changes(`app-${each.name}`, each.gone, namespace(each.name, each.terminating)));
      break;
    case "workload":
      index.takeDeployments(
        changes(`app-${each.name}/${each.name}`, each.gone, workload(each.name, each.ready)),
      );
      break;
    case "run": {
      const facts = run(`${each.place}${each.name}`, each.number, each.phase as RunFacts["phase"]);
      index.takeRuns(each.gone ? [] : [facts], each.gone ? [facts.name] : []);
      break;
    }
    case "shared":
      index.takeNamespaces(changes("production", each.gone, { ...namespace("", false), name: "production" }));
      break;
    case "application":
      index.takeApplications(
        changes(`${each.namespace}/${each.name}`, each.gone, application(each.namespace, each.name)),
      );
      break;
    case "update":
      index.update();
  }
}

it("whatever happens in whatever order, the rows are those of a list made at the end", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (history) => {
      const live = new FleetIndex();
      const atOnce = new FleetIndex();
      live.takeComplete();
      atOnce.takeComplete();
      for (const each of history) take(live, each);
      for (const each of history) if (each.type !== "update") take(atOnce, each);
      live.update();
      atOnce.update();
      expect(live.services).toEqual(atOnce.services);
      expect(live.services).toEqual([...live.services].sort(byUrgency));
      expect(new Set(live.services.map(serviceKey)).size).toBe(live.services.length);
    }),
  );
});

it("keeps the rows that did not change, as they are", () => {
  const index = new FleetIndex();
  for (const each of names) take(index, { type: "namespace", name: each, gone: false, terminating: false });
  index.update();
  const before = index.services;
  take(index, { type: "workload", name: "c", gone: false, ready: 0 });
  expect(index.update()).toBe(true);
  expect(index.services).not.toBe(before);
  for (const row of index.services) if (row.name !== "c") expect(before).toContain(row);
  take(index, { type: "workload", name: "c", gone: false, ready: 0 });
  expect(index.update()).toBe(false);
});

describe("a namespace that services share", () => {
  const keys = (index: FleetIndex) => {
    index.update();
    return index.services.map(serviceKey).sort();
  };
  const shared = () => {
    const index = new FleetIndex();
    index.takeComplete();
    take(index, { type: "shared", gone: false });
    return index;
  };
  const apply = (index: FleetIndex, namespace: "production" | "app-a", name: string, gone = false) =>
    take(index, { type: "application", namespace, name, gone });

  it("has a row of its own only while no service is in it", () => {
    const index = shared();
    expect(keys(index)).toEqual(["production/"]);
    expect(index.services[0]).toMatchObject({ kind: "namespace", name: "production", verdict: "degraded" });
    apply(index, "production", "api-gateway");
    apply(index, "production", "a");
    expect(keys(index)).toEqual(["production/a", "production/api-gateway"]);
    apply(index, "production", "a", true);
    apply(index, "production", "api-gateway", true);
    expect(keys(index)).toEqual(["production/"]);
    take(index, { type: "shared", gone: true });
    expect(keys(index)).toEqual([]);
  });

  it("tells services of one name apart, and gives runs to the one that they are about", () => {
    const index = shared();
    take(index, { type: "namespace", name: "a", gone: false, terminating: false });
    apply(index, "production", "a");
    apply(index, "app-a", "a");
    take(index, { type: "workload", name: "a", gone: false, ready: 0 });
    take(index, { type: "run", name: "a", gone: false, number: 1, phase: "Held", place: "" });
    expect(keys(index)).toEqual(["a", "production/a"]);
    const both = () =>
      ["a", "production/a"].map((key) => index.services.find((each) => serviceKey(each) === key));
    const [own, other] = both();
    expect(own).toMatchObject({ namespace: "app-a", verdict: "failed", lastRun: { phase: "Held" } });
    expect(other).toMatchObject({ namespace: "production", verdict: "working", lastRun: undefined });
    expect(index.unready("a")).toBeDefined();
    expect(index.unready("production/a")).toBeUndefined();
    take(index, { type: "run", name: "a", gone: false, number: 2, phase: "Running", place: "production/" });
    index.update();
    expect(both().map((row) => row?.lastRun?.phase)).toEqual(["Held", "Running"]);
  });

  it("keeps the row of a service whose deletion is not over, whatever is left of it", () => {
    const index = shared();
    apply(index, "production", "orders");
    const deletion = { ...run("production/orders", 1, "Running"), operation: "delete" } as const;
    index.takeRuns([deletion]);
    apply(index, "production", "orders", true);
    expect(keys(index)).toEqual(["production/orders"]);
    index.takeRuns([{ ...deletion, phase: "Held", message: "Data stores: the volume is in use" }]);
    expect(keys(index)).toEqual(["production/orders"]);
    expect(index.services[0]).toMatchObject({
      verdict: "failed",
      reason: "delete is held: Data stores: the volume is in use",
      lastRun: { name: deletion.name },
    });
    index.takeRuns([{ ...deletion, phase: "Succeeded" }]);
    expect(keys(index)).toEqual(["production/"]);
  });

  it("shows what an Application left behind, and forgets it with the last of it", () => {
    const index = shared();
    const database = { ...workload("orders", 2), name: "orders-db", namespace: "production" };
    const key = "production/orders-db";
    const facts = { ...database, component: "database" };
    index.takeStatefulSets({ changed: new Map([[key, facts]]), removed: new Set(), complete: true });
    expect(keys(index)).toEqual(["production/orders"]);
    expect(index.services[0]).toMatchObject({ verdict: "kept", database: { type: "postgres", ready: true } });
    index.takeStatefulSets({ changed: new Map(), removed: new Set([key]), complete: true });
    expect(keys(index)).toEqual(["production/"]);
  });
});

it.each([
  ["a", "app-a", "a"],
  ["a", "production", "production/a"],
  ["a", "app-b", "app-b/a"],
])("the key of %s in %s is %s, and says both", (name, namespace, key) => {
  expect(serviceKey({ kind: "service", name, namespace })).toBe(key);
  expect(serviceOfKey(key)).toEqual({ name, namespace });
});
