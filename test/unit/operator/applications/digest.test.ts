import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { KubeObject } from "../../../../src/cluster/object.ts";
import { contentDigest } from "../../../../src/operator/applications/digest.ts";

const object = (spec: unknown, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "ledger", namespace: "shop", labels },
  spec,
});

/** The same value with the keys of every map the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, child]) => [key, reversed(child)]),
  );
}

test("in which order an object was written, and keys without a value, do not count", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (spec) => {
      const shuffled = { ...object(reversed(spec)), status: undefined };
      expect(contentDigest(shuffled)).toBe(contentDigest(object(spec)));
    }),
  );
});

test("every other value counts", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      const [a, b] = [JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other))];
      expect(contentDigest(object(a)) === contentDigest(object(b))).toBe(isDeepStrictEqual(a, b));
    }),
  );
});

test.each([
  ["0.5", "500m"],
  ["1", "1000m"],
  ["1Gi", "1024Mi"],
  ["1e3", "1k"],
  ["1G", "1000M"],
])("as a quantity, %s is %s", (one, other) => {
  const asking = (cpu: string) => object({ resources: { requests: { cpu } } });
  expect(contentDigest(asking(one))).toBe(contentDigest(asking(other)));
  expect(contentDigest(object({ image: one }))).not.toBe(contentDigest(object({ image: other })));
});

test("which run made it does not count, its other labels do", () => {
  const labels = { team: "payments" };
  const made = { ...labels, "platform.company.com/run": "ledger-create-1" };
  expect(contentDigest(object({}, made))).toBe(contentDigest(object({}, labels)));
  expect(contentDigest(object({}, { team: "search" }))).not.toBe(contentDigest(object({}, labels)));
});
