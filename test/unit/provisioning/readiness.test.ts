import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { waitUntilReady } from "../../../src/provisioning/objects/readiness.ts";
import { memoryCluster } from "./memory-cluster.ts";

/** A pod of a Deployment's or StatefulSet's template, by the label that tells which. */
function pod(name: string, template: Readonly<Record<string, string>>, ready: boolean): KubeObject {
  const conditions = [{ type: "Ready", status: ready ? "True" : "False" }];
  const labels = { app: "ledger", ...template };
  const status = { phase: ready ? "Running" : "Pending", conditions };
  return { apiVersion: "v1", kind: "Pod", metadata: { name, labels }, spec: {}, status };
}

/** What is told in the end where a rollout never gets further than this. */
async function endOf(
  workload: KubeObject,
  pods: readonly KubeObject[],
  sets: readonly KubeObject[] = [],
): Promise<{ readonly failure: string; readonly told: readonly string[] }> {
  let now = 0;
  const told: string[] = [];
  const cluster = {
    ...memoryCluster(),
    get: async () => workload,
    list: async () => ({ items: [...pods], resourceVersion: "1" }),
    listMetadata: async () => ({ items: [...sets], resourceVersion: "1" }),
  };
  const clock = {
    now: () => new Date(now),
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const signal = new AbortController().signal;
  const failure = await waitUntilReady(workload, {
    cluster,
    clock,
    signal,
    withinMs: 3_000,
    log: (line) => told.push(line),
  }).then(String, (error: unknown) => (error instanceof Error ? error.message : String(error)));
  return { failure, told };
}

const spec = { replicas: 2, selector: { matchLabels: { app: "ledger" } } };
const revision = (of: string) => ({ "deployment.kubernetes.io/revision": of });

test("a change that gets nowhere counts the pods it made, not those that still serve", async () => {
  const deployment: KubeObject = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "ledger", uid: "1", generation: 2, annotations: revision("2") },
    spec,
    status: {
      observedGeneration: 2,
      replicas: 3,
      updatedReplicas: 1,
      readyReplicas: 2,
      availableReplicas: 2,
    },
  };
  const set = (hash: string, of: string): KubeObject => ({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `ledger-${hash}`,
      labels: { "pod-template-hash": hash },
      annotations: revision(of),
      ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "ledger", uid: "1" }],
    },
  });
  const { failure, told } = await endOf(
    deployment,
    [
      pod("ledger-old-1", { "pod-template-hash": "old" }, true),
      pod("ledger-old-2", { "pod-template-hash": "old" }, true),
      pod("ledger-new-1", { "pod-template-hash": "new" }, false),
    ],
    [set("old", "1"), set("new", "2")],
  );
  expect(failure).toMatch(
    /^Deployment ledger has 0 of 2 new replicas ready \(2 of those before serve meanwhile\) after \d s: /,
  );
  expect(told).toContain("waiting for 2 of 2 replicas");
});

test("a pod of a StatefulSet counts once it is made anew", async () => {
  const statefulSet: KubeObject = {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "ledger", uid: "1", generation: 2 },
    spec,
    status: { observedGeneration: 2, replicas: 2, updatedReplicas: 1, readyReplicas: 2, updateRevision: "b" },
  };
  const { failure } = await endOf(statefulSet, [
    pod("ledger-0", { "controller-revision-hash": "a" }, true),
    pod("ledger-1", { "controller-revision-hash": "b" }, true),
  ]);
  expect(failure).toContain("has 1 of 2 new replicas ready (1 of those before serves meanwhile)");
});

test("a first rollout knows of none before", async () => {
  const deployment: KubeObject = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "ledger", uid: "1", generation: 1 },
    spec,
    status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 0 },
  };
  const { failure } = await endOf(deployment, []);
  expect(failure).toMatch(/^Deployment ledger has 0 of 2 replicas ready after/);
});
