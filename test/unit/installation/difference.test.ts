import fc from "fast-check";
import { expect, test } from "vitest";
import { difference } from "../../../src/installation/difference.ts";

test("equal values differ in nothing, and different ones in something", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      expect(difference(one, structuredClone(one))).toEqual([]);
      const same = JSON.stringify(one) === JSON.stringify(other);
      if (!same && JSON.stringify(sorted(one)) !== JSON.stringify(sorted(other)))
        expect(difference(one, other)).not.toEqual([]);
    }),
  );
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, child]) => [key, sorted(child)]),
  );
}

test("a difference names the field with both values, added and removed ones with one", () => {
  const before = { quota: { cpu: "20" }, teams: { a: 1 }, registries: ["x"] };
  const after = { quota: { cpu: "30" }, registries: ["x", "y"] };
  expect(difference(before, after, "spec")).toEqual([
    { field: "spec.quota.cpu", before: '"20"', after: '"30"' },
    { field: "spec.teams", before: '{"a":1}' },
    { field: "spec.registries[1]", after: '"y"' },
  ]);
});
