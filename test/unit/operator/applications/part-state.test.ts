import { expect, test } from "vitest";
import { resources } from "../../../../src/cluster/resource.ts";
import type { WorkloadStatus } from "../../../../src/cluster/workload-status.ts";
import type { Child } from "../../../../src/operator/applications/child.ts";
import type { Result } from "../../../../src/operator/applications/object-writer.ts";
import { type PartFacts, partState } from "../../../../src/operator/applications/part-state.ts";

const rollingOut: WorkloadStatus = {
  wanted: 3,
  ready: 1,
  matchLabels: {},
  image: "x/y:1",
  observed: true,
  updated: false,
  complete: false,
  problem: undefined,
};

function deployment(workload: Partial<WorkloadStatus>): Result {
  const child: Child = {
    uid: "1",
    digest: "d",
    replicas: 3,
    application: "shop/ledger",
    controller: "ours",
    stranger: undefined,
    managed: true,
    run: undefined,
    leaving: false,
    workload: { ...rollingOut, ...workload },
    generation: 1,
    pods: 3,
    migration: undefined,
    complaint: undefined,
    provider: undefined,
  };
  return { kind: "there", child, wrote: undefined };
}

function stateOf(result: Result, facts: Partial<PartFacts> = {}) {
  const wanted = {
    resource: resources.deployments,
    key: "shop/ledger",
    part: "workload",
    owner: { kind: "namespace" },
    digest: "d",
    replicas: 3,
  } as const;
  return partState({
    name: "workload",
    requested: true,
    outcomes: [{ wanted, result }],
    pods: undefined,
    missing: [],
    mayMiss: true,
    ...facts,
  });
}

const quota = 'pods "x" is forbidden: exceeded quota: quota, requested: requests.cpu=15';

test.each([
  [deployment({ complete: true }), "ready", "Ready"],
  [deployment({}), "progressing", "RollingOut"],
  [deployment({ problem: { kind: "refused", text: quota } }), "broken", "QuotaExceeded"],
  [deployment({ problem: { kind: "refused", text: "no" } }), "broken", "PodsRefused"],
  [deployment({ problem: { kind: "late", text: "late" } }), "broken", "ProgressDeadlineExceeded"],
  [{ kind: "conflict", owner: "was not made by the platform" } as const, "broken", "Conflict"],
  [{ kind: "refused", text: quota, lasting: false } as const, "broken", "QuotaExceeded"],
  [
    { kind: "refused", text: "ValidatingAdmissionPolicy 'x' denied it", lasting: false } as const,
    "broken",
    "RefusedByGuardrail",
  ],
  [{ kind: "waiting" } as const, "progressing", "Waiting"],
])("a part is told by what became of its objects (%#)", (result, state, reason) => {
  expect(stateOf(result)).toMatchObject({ state, reason });
});

test("what its pods suffer from goes before how long it takes", () => {
  const pods = {
    pod: "p",
    reason: "OOMKilled",
    text: "container x ran out of memory",
    trouble: "container",
  } as const;
  const late = deployment({ problem: { kind: "late", text: "late" } });
  expect(stateOf(late, { pods })).toEqual({
    state: "broken",
    reason: "OOMKilled",
    message: "container x ran out of memory (pod p); 1 of 3 replicas ready",
  });
});

test("a kind that is not served breaks a part only where the standards say so", () => {
  const missing = ["the cluster has no HTTPRoute"];
  const complete = deployment({ complete: true });
  expect(stateOf(complete, { missing })).toMatchObject({
    state: "ready",
    reason: "Partial",
    message: missing[0],
  });
  expect(stateOf(complete, { missing, mayMiss: false })).toMatchObject({
    state: "broken",
    reason: "KindNotServed",
  });
  expect(stateOf(complete, { missing, requested: false })).toEqual({ state: "notRequested" });
});
