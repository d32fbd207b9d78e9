import { describe, expect, it } from "vitest";
import { workloadStatus } from "../../../src/cluster/workload-status.ts";

const rolledOut = {
  observedGeneration: 2,
  replicas: 2,
  updatedReplicas: 2,
  readyReplicas: 2,
  availableReplicas: 2,
};
const statusOf = (kind: string, status: object) =>
  workloadStatus({
    apiVersion: "apps/v1",
    kind,
    metadata: { name: "ledger", generation: 2 },
    spec: { replicas: 2 },
    status,
  });

describe("a rollout", () => {
  it.each([
    ["every pod is new and ready", "Deployment", {}, true],
    ["the controller has not seen the newest spec", "Deployment", { observedGeneration: 1 }, false],
    ["old pods are not replaced yet", "Deployment", { updatedReplicas: 1 }, false],
    ["a pod is not ready", "Deployment", { readyReplicas: 1 }, false],
    ["a pod is not available for long enough", "Deployment", { availableReplicas: 1 }, false],
    ["an old pod is still there", "Deployment", { replicas: 3 }, false],
    ["a StatefulSet does not tell what is available", "StatefulSet", { availableReplicas: 0 }, true],
  ])("where %s", (_, kind, change, complete) => {
    expect(statusOf(kind, { ...rolledOut, ...change }).complete).toBe(complete);
  });

  it("that has not begun is not complete", () => {
    expect(statusOf("Deployment", {})).toMatchObject({
      wanted: 2,
      ready: 0,
      updated: false,
      complete: false,
    });
  });

  it("that its controller gave up says so, and a refusal of pods comes first", () => {
    const late = { type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" };
    const refused = { type: "ReplicaFailure", status: "True", message: "exceeded quota" };
    const seen = { observedGeneration: 2 };
    expect(statusOf("Deployment", { ...seen, conditions: [late] }).problem?.kind).toBe("late");
    expect(statusOf("Deployment", { ...seen, conditions: [late, refused] }).problem).toEqual({
      kind: "refused",
      text: "pods cannot be created: exceeded quota",
    });
    const passed = { ...seen, conditions: [{ ...refused, status: "False" }] };
    expect(statusOf("Deployment", passed).problem).toBeUndefined();
  });

  it("whose newest spec nobody has looked at is not judged by what was wrong with the one before", () => {
    const late = { type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" };
    expect(statusOf("Deployment", { observedGeneration: 1, conditions: [late] }).problem).toBeUndefined();
  });
});
