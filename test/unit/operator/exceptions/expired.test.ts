import { describe, expect, test } from "vitest";
import type { Exception } from "../../../../src/guardrails/crd.ts";
import { covers, expired, madeAnew } from "../../../../src/operator/exceptions/expired.ts";

const exception = (expires: string): Exception => ({
  rule: "registry",
  workload: "legacy",
  owner: "payments",
  reason: "is moved in March",
  expires,
});

describe("exceptions", () => {
  const now = new Date("2026-06-01T00:00:00Z");

  test("are over from their very end on, and the next end is known", () => {
    const [past, ends, soon, later] = [
      "2026-01-01T00:00:00Z",
      "2026-06-01T00:00:00Z",
      "2026-06-01T00:00:01Z",
      "2027-01-01T00:00:00Z",
    ].map(exception);
    if (!past || !ends || !soon || !later) throw new Error("no exceptions");
    expect(expired([later, past, soon, ends], now)).toEqual({
      over: [past, ends],
      next: now.getTime() + 1_000,
    });
    expect(expired([past], now).next).toBeUndefined();
  });

  test.each([
    ["legacy", true],
    ["legacy-5d9f-x2x", true],
    ["legacyx", false],
    ["not-legacy", false],
  ])("of legacy: %s %s", (name, covered) => {
    expect(covers({ workload: "legacy" }, name)).toBe(covered);
  });
});

test("a pod to be judged anew has what it was made of, and nothing that only a living one has", () => {
  const pod = madeAnew({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "legacy-1",
      namespace: "shop",
      uid: "1",
      resourceVersion: "2",
      labels: { app: "legacy" },
    },
    spec: { containers: [{ name: "a" }], nodeName: "node-1", ephemeralContainers: [{ name: "debugger" }] },
    status: { phase: "Running" },
  });
  expect(pod).toEqual({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "legacy-1", namespace: "shop", labels: { app: "legacy" } },
    spec: { containers: [{ name: "a" }] },
  });
});
