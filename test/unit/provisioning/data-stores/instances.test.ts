import { describe, expect, test } from "vitest";
import {
  type CloudSqlStore,
  cloneOf,
  momentsOf,
  recordData,
  storeOfEffect,
  storesIn,
  workspaceEffect,
} from "../../../../src/provisioning/data-stores/cloud-store.ts";
import { isBeside } from "../../../../src/provisioning/objects/namespace-contents.ts";
import { ownerName, workspaceName } from "../../../../src/terraform/backend.ts";
import { cloudSqlVariablesSchema } from "../../../../src/terraform/cloudsql.ts";

const source: CloudSqlStore = {
  provider: "cloudsql",
  identity: { namespace: "app-shop", name: "shop", store: "db" },
  variables: cloudSqlVariablesSchema.parse({
    project: "acme-prod",
    name: "shop-0123456789ab",
    database: "app_shop",
    user: "app_shop",
    tier: "db-custom-1-3840",
    labels: {},
  }),
  madeAt: "2026-01-01T00:00:00Z",
};
const moment = "2026-01-02T03:04:05Z";
const copy = cloneOf(source, "r7k2mp", moment);

function record(name: string, data: ReturnType<typeof recordData>) {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name,
      namespace: "app-shop",
      creationTimestamp: "2026-01-05T00:00:00Z",
      annotations: { "platform.company.com/provider": "cloudsql" },
    },
    data: Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null)),
  };
}

describe("instances of one database", () => {
  test("have names and states of their own, and the owner in common", () => {
    expect(copy.variables.name).not.toBe(source.variables.name);
    expect(copy.variables.name).toMatch(/^shop-[0-9a-f]{12}$/);
    expect(workspaceName(copy.identity)).not.toBe(workspaceName(source.identity));
    expect(workspaceName(copy.identity)).toMatch(/^shop-[0-9a-f]{10}-db$/);
    expect(ownerName(copy.identity)).toBe(workspaceName(source.identity));
    expect(cloneOf(source, "r7k2mp", moment)).toEqual(copy);
    expect(cloneOf(source, "r7k2mq", moment).variables.name).not.toBe(copy.variables.name);
    const next = cloneOf(copy, "rzzzzz", moment);
    expect(next.variables.clone?.source_instance).toBe(copy.variables.name);
    expect(ownerName(next.identity)).toBe(workspaceName(source.identity));
  });

  test("are told by records whatever these are called, and by their effects where those are gone", () => {
    const made = { ...copy, madeAt: "2026-01-03T00:00:00.000Z" };
    expect(storesIn(record("shop-db", recordData(made)))).toEqual([made]);
    expect(storesIn(record("shop-db-r7k2mp", recordData(source)))).toEqual([source]);
    expect(storesIn(record("shop-db", recordData(made, source)))).toEqual([made, source]);
    const old = { ...recordData(source), madeAt: null };
    expect(storesIn(record("shop-db", old))[0]?.madeAt).toBe("2026-01-05T00:00:00Z");
    const effect = workspaceEffect(copy);
    expect(effect.store).toBe("shop-db-r7k2mp");
    expect(storeOfEffect(effect).identity).toEqual(copy.identity);
    const odd = { ...source, identity: { namespace: "app-x", name: "x-db-rabcde", store: "db" } as const };
    expect(storeOfEffect(workspaceEffect(odd)).identity).toEqual(odd.identity);
  });

  test("a record that somebody has changed says nothing", () => {
    const broken = { ...recordData(copy, source), other: "{" };
    expect(() => storesIn(record("shop-db", broken))).toThrow("changed by somebody");
  });

  test("one that is not used is known by its name", () => {
    expect(isBeside("shop-db-r7k2mp", "shop-db")).toBe(true);
    for (const name of ["shop-db", "shop-db-restore", "shop-db-read", "shop-db-next", "shop-cache-r7k2mp"]) {
      expect(isBeside(name, "shop-db"), name).toBe(false);
    }
  });

  test("can be brought back to what is kept since they were made", () => {
    const now = new Date("2026-01-04T00:00:00Z");
    expect(momentsOf(source, now).from.toISOString()).toBe("2026-01-01T00:00:00.000Z");
    const later = new Date("2026-02-01T00:00:00Z");
    expect(momentsOf(source, later).from.toISOString()).toBe("2026-01-25T00:00:00.000Z");
    expect(momentsOf({ ...source, madeAt: "nonsense" }, later).from.toISOString()).toBe(
      "2026-01-25T00:00:00.000Z",
    );
  });
});
