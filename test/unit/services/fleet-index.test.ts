import fc from "fast-check";
import { expect, it } from "vitest";
import type { RunFacts, WorkloadFacts } from "../../../src/services/facts.ts";
import { FleetIndex } from "../../../src/services/fleet-index.ts";
import { byUrgency } from "../../../src/services/row.ts";

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
  }),
  fc.record({ type: fc.constant("update" as const) }),
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
      const facts = run(each.name, each.number, each.phase as RunFacts["phase"]);
      index.takeRuns(each.gone ? [] : [facts], each.gone ? [facts.name] : []);
      break;
    }
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
