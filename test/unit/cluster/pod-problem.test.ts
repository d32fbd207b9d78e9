import { describe, expect, it, test } from "vitest";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { podProblem, worstProblem } from "../../../src/cluster/pod-problem.ts";

function podWaiting(reason: string, message = ""): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "ledger-0", namespace: "app-ledger" },
    status: {
      containerStatuses: [
        {
          name: "ledger",
          image: "example/ledger:1",
          ready: false,
          restartCount: 0,
          state: { waiting: { reason, message } },
        },
      ],
    },
  };
}

test.each([
  ["ContainerCreating", "", undefined],
  ["ErrImagePull", "rpc error: not found", "container"],
  ["ImagePullBackOff", 'Back-off pulling image "example/ledger:1": ErrImagePull: not found', "final"],
  ["ImagePullBackOff", 'Back-off pulling image "example/ledger:1": i/o timeout', "container"],
  ["InvalidImageName", "", "final"],
  ["CrashLoopBackOff", "", "container"],
  ["CreateContainerConfigError", 'secret "ledger-db" not found', "final"],
])("a container that waits for %s (%s)", (reason, message, trouble) => {
  expect(podProblem(podWaiting(reason, message))?.trouble).toBe(trouble);
});

test("says which image cannot be pulled, and why, without a terminal's escapes", () => {
  const problem = podProblem(
    podWaiting("ImagePullBackOff", "Back-off pulling image: \u001b[31mnot found\u001b[0m"),
  );
  expect(problem?.text).toBe("image example/ledger:1 cannot be pulled: not found");
});

describe("what is wrong with pods", () => {
  const pod = (status: unknown) => ({ apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, status });
  const container = (state: unknown, lastState = {}) =>
    pod({
      containerStatuses: [{ name: "app", image: "x/y:1", ready: false, restartCount: 3, state, lastState }],
    });

  it.each([
    [
      container({ waiting: { reason: "ErrImagePull", message: 'failed to pull "x/y:1": x/y:1: not found' } }),
      "image x/y:1 cannot be pulled: not found",
    ],
    [
      container({ waiting: { reason: "ImagePullBackOff", message: 'Back-off pulling image "x/y:1"' } }),
      "image x/y:1 cannot be pulled",
    ],
    [
      container(
        { waiting: { reason: "CrashLoopBackOff" } },
        { terminated: { reason: "Error", exitCode: 3 } },
      ),
      "container app crashes again and again, exit code 3",
    ],
    [
      container(
        { waiting: { reason: "CrashLoopBackOff" } },
        { terminated: { reason: "OOMKilled", exitCode: 137 } },
      ),
      "container app runs out of memory again and again",
    ],
    [
      container({ waiting: { reason: "CreateContainerConfigError", message: 'secret "s" not found' } }),
      'container app cannot start: secret "s" not found',
    ],
    [container({ waiting: { reason: "ContainerCreating" } }), ""],
    [
      pod({
        conditions: [
          {
            type: "PodScheduled",
            status: "False",
            reason: "Unschedulable",
            message: "0/3 nodes are available",
          },
        ],
      }),
      "pod p cannot be scheduled: 0/3 nodes are available",
    ],
  ])("is told in one line", (given, problem) => {
    expect(worstProblem([given])?.text ?? "").toBe(problem);
  });

  it("is the worst of all pods: what no waiting mends comes before what may pass", () => {
    const unplaced = pod({
      conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "no node" }],
    });
    const crashing = container({ waiting: { reason: "CrashLoopBackOff" } });
    const refused = container({ waiting: { reason: "InvalidImageName" } });
    expect(worstProblem([unplaced, crashing, refused])?.trouble).toBe("final");
    expect(worstProblem([unplaced, crashing])?.trouble).toBe("container");
    expect(worstProblem([unplaced])?.trouble).toBe("placement");
  });

  it("is nothing while a pod goes", () => {
    const crashing = container({ waiting: { reason: "CrashLoopBackOff" } });
    const going = { ...crashing, metadata: { name: "p", deletionTimestamp: "2026-01-01T00:00:00Z" } };
    expect(worstProblem([going])).toBeUndefined();
  });

  it("is told although another container's status makes no sense", () => {
    const sane = { name: "app", image: "x/y:1", state: { waiting: { reason: "InvalidImageName" } } };
    expect(worstProblem([pod({ containerStatuses: [{ name: 7 }, sane] })])?.text).toBe(
      "image x/y:1 cannot be pulled",
    );
  });
});
