import { expect, test } from "vitest";
import type { KubeObject } from "../../../../src/cluster/object.ts";
import { newestProblem } from "../../../../src/operator/applications/pod-looks.ts";

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
