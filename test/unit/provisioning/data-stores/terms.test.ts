import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { planText } from "../../../../src/commands/output/plan.ts";
import { priceText, shortPrice } from "../../../../src/provisioning/data-stores/price.ts";
import { offersOf, termsElsewhere } from "../../../../src/provisioning/data-stores/terms.ts";
import { termsText } from "../../../../src/screens/store-terms.ts";
import { sandboxStandards } from "../../../../src/standards/sandbox-standards.ts";
import { standardsSchema } from "../../../../src/standards/standards.ts";

const google = {
  project: "acme-prod",
  network: "projects/acme-prod/global/networks/main",
  range: "10.20.0.0/16",
};
const prices = {
  currency: "EUR",
  cluster: { cpu: 20, memoryGib: 4, storageGib: 0.5 },
  cloudsql: { cpu: 30, memoryGib: 5, diskGb: 0.2, machines: { "db-perf-optimized-N-2": 170 } },
  memorystore: { memoryGb: 25 },
};

function offers(standards: object) {
  return offersOf(standardsSchema.parse(standards));
}

describe("what the standards choose for a database", () => {
  it("in the cluster, is told with its size and what it lacks", () => {
    const { database } = offers({ database: { storage: "20Gi" } });
    expect(database).toMatchObject({
      provider: "in-cluster",
      runs: "postgres 15.15 in the cluster",
      size: "100m CPU, 256Mi memory (at most 1 and 1Gi), 20Gi volume",
    });
    expect(database.protection).toContain("one pod: no failover");
    expect(database.protection).toContain("backups when asked for, the last 7 kept");
    expect(database.protection).toContain("a last snapshot first, where possible");
  });

  it("unprotected, is never called protected", () => {
    const { database, cache } = offers({ dataStores: { deletionProtection: false, snapshot: "required" } });
    for (const { protection } of [database, cache]) {
      expect(protection[0]).toBe("outlives its service, unless whoever deletes that says otherwise");
      // Only what is protected gets a last snapshot.
      expect(protection.join()).not.toContain("snapshot");
    }
  });

  it("at Google, is told with the machine, its backups and whether anything stands by", () => {
    const cloudsql = { tier: "db-custom-2-7680", diskGb: 50, finalBackupDays: 0 };
    const { database } = offers({ google, database: { provider: "cloudsql", cloudsql } });
    expect(database).toMatchObject({
      provider: "cloudsql",
      runs: "Cloud SQL in us-central1, PostgreSQL 15",
      size: "db-custom-2-7680, 50 GB disk that grows by itself",
    });
    expect(database.protection).toContain("one zone: no failover");
    expect(database.protection).toContain("no last backup");
    const twice = { provider: "cloudsql", cloudsql: { highlyAvailable: true } };
    expect(offers({ google, database: twice }).database.protection).toContain("a second zone stands by");
  });
});

test("a cache at Google says that it is empty after a failure, unless a replica stands by", () => {
  const cache = { provider: "memorystore", memorystore: { memoryGb: 4 } };
  expect(offers({ google, cache }).cache).toMatchObject({
    provider: "memorystore",
    runs: "Memorystore in us-central1, Redis 7.0",
    size: "4 GB memory",
    protection: [expect.any(String), "no replica: empty after a failure", "no backups"],
  });
  const twice = { ...cache, memorystore: { highlyAvailable: true } };
  expect(offers({ google, cache: twice }).cache.protection).toContain("a replica stands by");
});

describe("a price", () => {
  it("is unknown where the standards name none, also where they name others", () => {
    const { cluster: _, ...others } = prices;
    for (const standards of [{}, { prices: others }]) {
      const { database } = offers(standards);
      expect(database.price).toBeUndefined();
      expect(priceText(database.price)).toContain("unknown");
      expect(shortPrice(database.price)).toBe("price unknown");
    }
    const cloudsql = { tier: "db-perf-optimized-N-4", edition: "ENTERPRISE_PLUS" };
    const offered = offers({ prices, google, database: { provider: "cloudsql", cloudsql } });
    expect(offered.database.price).toBeUndefined();
  });

  it("is what is set aside in the cluster", () => {
    // A tenth of a core, a quarter of a GiB, ten GiB on the volume.
    expect(priceText(offers({ prices }).database.price)).toBe("8.00 EUR a month");
  });

  it("is the machine and its disk at Google, or the machine's own price", () => {
    const database = (cloudsql: object) =>
      priceText(offers({ prices, google, database: { provider: "cloudsql", cloudsql } }).database.price);
    expect(database({ tier: "db-custom-2-8192", diskGb: 10 })).toBe("102.00 EUR a month");
    expect(database({ tier: "db-perf-optimized-N-2", edition: "ENTERPRISE_PLUS", diskGb: 10 })).toBe(
      "172.00 EUR a month",
    );
    const cache = { provider: "memorystore", memorystore: { memoryGb: 2 } };
    expect(priceText(offers({ prices, google, cache }).cache.price)).toBe("50.00 EUR a month");
  });

  it("grows with what is set aside, and is never less than nothing", () => {
    const amounts = fc.integer({ min: 1, max: 64 });
    fc.assert(
      fc.property(amounts, amounts, (one, more) => {
        const of = (gib: number) => {
          const { price } = offers({ prices, database: { storage: `${gib}Gi` } }).database;
          return typeof price === "object" ? price.amount : Number.NaN;
        };
        expect(of(one + more)).toBeGreaterThan(of(one));
        expect(of(one)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 20 },
    );
  });

  it("that is an example says so wherever it is shown", () => {
    const { price } = offersOf(sandboxStandards()).database;
    expect(priceText(price)).toMatch(/ by example prices$/);
    expect(shortPrice(price)).toMatch(/ \(example\)$/);
  });
});

test("a plan in text tells who runs what it makes, its size, its price and its protection", () => {
  const { database } = offers({ prices });
  const plan = { operation: "create", service: "shop", steps: [] } as const;
  const text = planText({ plan: { ...plan, steps: [] }, diff: [], stores: [database] }).join("\n");
  expect(text).toContain("  Database: postgres 15.15 in the cluster");
  expect(text).toContain("    price       8.00 EUR a month");
  for (const guard of database.protection) expect(text).toContain(guard);
});

test("one that exists already is told with whose its size, price and protection are", () => {
  const external = { secret: "their-login", host: "fd00::1", port: 5432 };
  const store = termsElsewhere(external, "database");
  const text = planText({
    plan: { operation: "create", service: "shop", steps: [] },
    diff: [],
    stores: [store],
  }).join("\n");
  expect(text).toContain("  Database: [fd00::1]:5432, which exists already");
  expect(text).toContain("    price       none of the platform's: whoever runs it pays it");
  expect(text).toContain("the platform never deletes it");
  expect(termsText(store)).toBe("[fd00::1]:5432, paid by whoever runs it, which exists already");
});

test.each([
  [{ cluster: prices.cluster }, "currency"],
  [{ currency: "euro" }, "currency"],
  [{ currency: "EUR", cluster: { ...prices.cluster, cpu: -1 } }, "cpu"],
  [{ currency: "EUR", cluster: { cpu: 1 } }, "memoryGib"],
])("prices that nobody could work with are refused: %j", (wrong, field) => {
  const parsed = standardsSchema.safeParse({ prices: wrong });
  expect(parsed.error?.issues.map(({ path }) => path.at(-1))).toContain(field);
});
