import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalQuantity, quantityNanos } from "../../../src/sandbox/schema/quantity.ts";

test.each([
  ["1000m", "1"],
  ["0.5", "500m"],
  ["1024Mi", "1Gi"],
  ["1500Mi", "1500Mi"],
  ["1e3", "1k"],
  ["100000", "100k"],
  ["1.5Gi", "1536Mi"],
  ["0", "0"],
  ["-1", "-1"],
  ["0.1Gi", "107374182400m"],
])("%s is stored as %s", (given, stored) => {
  expect(canonicalQuantity(given)).toBe(stored);
});

test.each(["", "1 Gi", "one", "1gi", "1.2.3", "Mi"])("%j is no quantity", (given) => {
  expect(canonicalQuantity(given)).toBeUndefined();
});

test("the stored form has the same value, and is its own stored form", () => {
  const suffix = fc.constantFrom("", "m", "k", "M", "G", "Ki", "Mi", "Gi");
  fc.assert(
    fc.property(fc.nat(10_000_000), suffix, (number, unit) => {
      const given = `${number}${unit}`;
      const stored = canonicalQuantity(given) ?? "";
      expect(quantityNanos(stored)).toBe(quantityNanos(given));
      expect(canonicalQuantity(stored)).toBe(stored);
    }),
  );
});
