import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import type { FaultableRequest } from "../../src/sandbox/fault.ts";
import { Faults, handleFaults } from "../../src/sandbox/faults.ts";

let now = 0;
let database: DatabaseSync;
let faults: Faults;
beforeEach(() => {
  now = 1_000_000;
  database = new DatabaseSync(":memory:");
  faults = new Faults(database, () => now);
});

const create: FaultableRequest = {
  verb: "create",
  group: "apps",
  resource: "deployments",
  namespace: "app-demo",
  name: "demo",
  step: "apply_kubernetes",
};

describe("a refusal", () => {
  test("hits writes of its step only, as often as it says", () => {
    faults.add({ kind: "refuse", status: 503, message: "no", times: 1, when: { step: "apply_kubernetes" } });
    expect(faults.match({ ...create, step: "configure_network" }).outcome).toEqual({ action: "serve" });
    expect(faults.match({ ...create, verb: "get" }).outcome).toEqual({ action: "serve" });
    expect(faults.match(create).outcome).toMatchObject({ action: "refuse", status: 503, message: "no" });
    expect(faults.match(create).outcome).toEqual({ action: "serve" });
    expect(faults.list()).toEqual([]);
  });

  test("counts its hits over all processes that share the store", () => {
    const other = new Faults(database, () => now);
    faults.add({ kind: "refuse", times: 2, when: { resource: "deployments.apps" } });
    expect(other.match(create).outcome.action).toBe("refuse");
    expect(faults.list()[0]?.times).toBe(1);
    expect(faults.match(create).outcome.action).toBe("refuse");
    expect(other.match(create).outcome.action).toBe("serve");
  });

  test.each([
    ["deployments", true],
    ["deployments.apps", true],
    ["deploy*", true],
    ["deployments.batch", false],
    ["pods", false],
  ])("of resource %s is about a Deployment: %s", (resource, expected) => {
    faults.add({ kind: "refuse", when: { resource, name: "d*o", namespace: "app-*" } });
    expect(faults.match(create).outcome.action === "refuse").toBe(expected);
  });
});

test("a delay adds to whatever else happens", () => {
  faults.add({ kind: "delay", ms: 300, when: { verbs: ["create"] } });
  faults.add({ kind: "half-apply", times: 1 });
  expect(faults.match(create)).toEqual({ delayMs: 300, outcome: { action: "half-apply", answer: "reset" } });
  expect(faults.match(create)).toEqual({ delayMs: 300, outcome: { action: "serve" } });
});

test("a server that is gone for a time comes back by itself", () => {
  faults.add({ kind: "down", forMs: 5000 });
  const discovery = { verb: "get", group: "", resource: "" };
  expect(faults.match(discovery).outcome.action).toBe("reset");
  now += 5001;
  expect(faults.match(discovery).outcome.action).toBe("serve");
  expect(faults.list()).toEqual([]);
});

test("dropping watches cuts those that are open and leaves later ones alone", () => {
  const watch: FaultableRequest = { verb: "watch", group: "", resource: "pods" };
  const before = faults.mark();
  faults.add({ kind: "drop-watches", when: { resource: "pods" } });
  expect(faults.cutsWatch(watch, before)).toBe(true);
  expect(faults.cutsWatch({ ...watch, resource: "services" }, before)).toBe(false);
  expect(faults.match(watch).outcome.action).toBe("serve");
  expect(faults.cutsWatch(watch, faults.mark())).toBe(false);
});

test("what is forbidden is denied by access reviews and refused as a real server words it", () => {
  faults.add({ kind: "forbid", when: { verbs: ["create"], resource: "namespaces" } });
  const question = { verb: "create", group: "", resource: "namespaces", name: "app-x" };
  expect(faults.allows(question)).toBe(false);
  expect(faults.allows({ ...question, verb: "get" })).toBe(true);
  expect(faults.match(question).outcome).toEqual({
    action: "refuse",
    status: 403,
    reason: "Forbidden",
    message:
      'namespaces "app-x" is forbidden: User "sandbox" cannot create resource "namespaces" in API group "" at the cluster scope',
  });
});

test("the HTTP face adds, lists, removes and refuses what is no fault", () => {
  const call = (method: string, path: string, body?: unknown) => handleFaults(faults, { method, path, body });
  expect(call("POST", "/sandbox/faults", { kind: "explode" }).status).toBe(422);
  const added = call("POST", "/sandbox/faults", { kind: "delay", ms: 10 });
  expect(added).toMatchObject({ status: 201, body: { id: 1, kind: "delay", ms: 10 } });
  expect(call("GET", "/sandbox/faults").body).toMatchObject({ faults: [{ id: 1 }] });
  expect(call("DELETE", "/sandbox/faults/1")).toEqual({ status: 200, body: { removed: 1 } });
  expect(call("DELETE", "/sandbox/faults/1").status).toBe(404);
  call("POST", "/sandbox/faults", { kind: "down" });
  expect(call("DELETE", "/sandbox/faults").body).toEqual({ removed: 1 });
});
