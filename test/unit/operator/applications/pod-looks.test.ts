import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../../src/cluster/object.ts";
import { childOf } from "../../../../src/operator/applications/child.ts";
import { newestProblem, PodLooks } from "../../../../src/operator/applications/pod-looks.ts";

function pod(hash: string, second: number, reason = ""): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${hash}-${second}`,
      labels: { "pod-template-hash": hash },
      creationTimestamp: `2026-01-01T00:00:0${second}Z`,
    },
    status: {
      containerStatuses: [
        { name: "app", image: `x/${hash}:1`, ready: false, restartCount: 0, state: { waiting: { reason } } },
      ],
    },
  };
}

test("what the pods of the newest template suffer from counts, not what it replaces", () => {
  const broken = pod("old", 1, "ImagePullBackOff");
  expect(newestProblem([])).toBeUndefined();
  expect(newestProblem([broken])).toMatchObject({ reason: "ImagePullBackOff", pod: "old-1" });
  expect(newestProblem([broken, pod("new", 2)])).toBeUndefined();
  expect(newestProblem([pod("new", 2, "CrashLoopBackOff"), broken])).toMatchObject({ pod: "new-2" });
  expect(newestProblem([broken, pod("new", 1)])).toBeUndefined();
});

describe("a rollout that was complete and has lost a pod", () => {
  const deployment = (ready: number, generation = 1) =>
    childOf({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { namespace: "shop", name: "ledger", uid: "1", generation },
      spec: { replicas: 2 },
      status: {
        observedGeneration: generation,
        replicas: 2,
        updatedReplicas: 2,
        readyReplicas: ready,
        availableReplicas: ready,
      },
    });
  /** Runs again already, and is not ready yet. */
  const killed: KubeObject = {
    ...pod("new", 1),
    status: {
      containerStatuses: [
        {
          name: "app",
          image: "x/new:1",
          ready: false,
          restartCount: 1,
          state: { running: {} },
          lastState: { terminated: { reason: "OOMKilled", exitCode: 137 } },
        },
      ],
    },
  };
  const unplaced: KubeObject = {
    ...pod("new", 2),
    status: {
      conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes" }],
    },
  };

  function looking(pods: readonly KubeObject[]) {
    let ms = 0;
    let asked = 0;
    const list = async () => {
      asked += 1;
      return { items: pods, resourceVersion: "1" };
    };
    const looks = new PodLooks({ list }, { now: () => new Date(ms) }, 10_000);
    const options = { atOnce: false, signal: new AbortController().signal };
    return {
      asked: () => asked,
      at: async (second: number, child: ReturnType<typeof deployment>) => {
        ms = second * 1_000;
        return (await looks.at("shop/ledger workload", "shop/ledger", child, options)).problem?.reason;
      },
    };
  }

  test("is looked into at once: what was killed for memory runs again in a moment", async () => {
    const { at } = looking([killed]);
    expect(await at(0, deployment(2))).toBeUndefined();
    expect(await at(1, deployment(1))).toBe("OOMKilled");
    expect(await at(2, deployment(2))).toBeUndefined();
    expect(await at(3, deployment(1))).toBe("OOMKilled");
  });

  test("a new one is given its time, and a pod of an old one time to find its place", async () => {
    const rollingOut = looking([killed]);
    expect(await rollingOut.at(0, deployment(2))).toBeUndefined();
    expect(await rollingOut.at(1, deployment(1, 2))).toBeUndefined();
    expect(rollingOut.asked()).toBe(0);
    expect(await rollingOut.at(11, deployment(1, 2))).toBe("OOMKilled");

    const drained = looking([unplaced]);
    expect(await drained.at(0, deployment(2))).toBeUndefined();
    expect(await drained.at(1, deployment(1))).toBeUndefined();
    expect(drained.asked()).toBe(1);
    expect(await drained.at(11, deployment(1))).toBe("Unschedulable");
  });
});
