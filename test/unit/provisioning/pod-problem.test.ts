import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { podProblem } from "../../../src/provisioning/pod-problem.ts";

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
