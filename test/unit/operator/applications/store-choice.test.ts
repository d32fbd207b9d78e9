import { expect, test } from "vitest";
import { choicesOf } from "../../../../src/operator/applications/store-choice.ts";
import { standardsSchema } from "../../../../src/standards/standards.ts";

const standards = standardsSchema.parse({
  database: { provider: "cloudsql" },
  cache: { provider: "memorystore" },
  google: { project: "acme-data", network: "projects/acme-data/global/networks/shared", range: "10.0.0.0/8" },
});
const image = "registry.example.internal/shop:1";
const database = { type: "postgres" };
const cache = { type: "redis" };

const said = (type: string, status: "True" | "False" | "Unknown", reason: string) => ({
  conditions: [{ type, status, reason, message: "", lastTransitionTime: "2026-01-05T10:00:00Z" }],
});

test("the standards choose for what an Application leaves to them, while there is nothing of it", () => {
  const spec = { image, database, cache };
  expect(choicesOf({ spec, status: {} }, "payments", standards, {})).toEqual([
    { store: "database", provider: "cloudsql", isKept: false },
    { store: "cache", provider: "memorystore", isKept: false },
  ]);
  const chosen = (status: ReturnType<typeof said>) =>
    choicesOf({ spec, status }, "payments", standards, {}).map(({ store }) => store);
  expect(chosen(said("DatabaseReady", "False", "RollingOut"))).toEqual(["cache"]);
  expect(chosen(said("CacheReady", "True", "Ready"))).toEqual(["database"]);
  expect(chosen(said("DatabaseReady", "True", "NotRequested"))).toEqual(["database", "cache"]);
  expect(chosen(said("DatabaseReady", "Unknown", "NamespaceNotManaged"))).toEqual(["database", "cache"]);
});

test("what an Application says itself, and what the standards leave in the cluster, is not chosen", () => {
  const own = { image, database: { ...database, provider: "cloudnative-pg" } };
  expect(choicesOf({ spec: own, status: {} }, "payments", standards, {})).toEqual([]);
  const inCluster = standardsSchema.parse({});
  expect(choicesOf({ spec: { image, database }, status: {} }, "payments", inCluster, {})).toEqual([]);
  expect(choicesOf({ spec: { image: 1, database }, status: {} }, "payments", standards, {})).toEqual([]);
});

test("what was kept of an earlier Application is gone on with, whatever the standards say now", () => {
  const spec = { image, database, cache };
  const inCluster = standardsSchema.parse({});
  const kept = { database: "cloudsql", cache: "external" };
  expect(choicesOf({ spec, status: {} }, "payments", inCluster, kept)).toEqual([
    { store: "database", provider: "cloudsql", isKept: true },
  ]);
});
