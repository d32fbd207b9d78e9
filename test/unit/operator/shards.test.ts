import fc from "fast-check";
import { expect, test } from "vitest";
import { shardOf, shareOut } from "../../../src/operator/shards.ts";

const members = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}-[0-9a-f]{4}$/), { minLength: 1, maxLength: 6 });
const shards = fc.integer({ min: 1, max: 32 });

test("each member has as many shards as any other, give or take one", () => {
  fc.assert(
    fc.property(members, shards, (names, count) => {
      const owners = shareOut(names, count);
      expect(owners).toHaveLength(count);
      const shares = names.map((name) => owners.filter((owner) => owner === name).length);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
});

test("everybody comes to the same, in whatever order they have heard of each other", () => {
  fc.assert(
    fc.property(members, shards, (names, count) => {
      expect(shareOut([...names].reverse().sort(), count)).toEqual(shareOut([...names].sort(), count));
    }),
  );
});

test("when a member goes, most of what the others have stays with them", () => {
  const names = ["a", "b", "c", "d"];
  const before = shareOut(names, 32);
  const after = shareOut(names.slice(0, 3), 32);
  const kept = before.filter((owner, shard) => owner !== "d" && after[shard] === owner).length;
  expect(kept).toBeGreaterThan(12);
});

test("namespaces are spread over all shards, and each is always in the same one", () => {
  const counts = new Array<number>(4).fill(0);
  for (let index = 0; index < 1_000; index++) {
    const shard = shardOf(`app-service-${index}`, 4);
    expect(shardOf(`app-service-${index}`, 4)).toBe(shard);
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(180);
  expect(shardOf("anything", 1)).toBe(0);
});
