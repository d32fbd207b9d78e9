import { describe, expect, test } from "vitest";
import { ensureDataStore, planOfDataStore, removeDataStore } from "../../../src/terraform/data-store.ts";
import { isTerraformError } from "../../../src/terraform/error.ts";
import type { Call, Fault } from "../../terraform/provider/provider.ts";
import { database, password, type Stage, setStage, terraform } from "../../terraform/stage.ts";

const wanted = { variables: database(), hidden: { password } };

/** Fails the first call that fits. */
function once(fits: (call: Call) => boolean, fault: Fault): (call: Call) => Fault | undefined {
  let failed = false;
  return (call) => {
    if (failed || !fits(call)) return undefined;
    failed = true;
    return fault;
  };
}

async function everythingIsMade(stage: Stage): Promise<void> {
  const sql = await stage.sql();
  const names = [...stage.cloud.resources].map(([type, all]) => [type, [...all.keys()]]);
  expect(Object.fromEntries(names)).toEqual({
    google_sql_database_instance: ["demo-1"],
    google_sql_database: ["demo-1/app_demo"],
    google_sql_user: ["demo-1/app_demo"],
  });
  expect([...(await sql.contents())].sort()).toEqual([
    "google_sql_database.this",
    "google_sql_database_instance.this",
    "google_sql_user.this",
  ]);
  expect(await planOfDataStore(sql, wanted)).toMatchObject({ changes: false, drift: [] });
  expect(stage.cloud.login("demo-1", "app_demo", password)).toBe(true);
  // A user that may have no password yet is made again; where data may be, nothing is.
  expect(
    stage.provider.calls.filter(({ action, type }) => action === "delete" && type !== "google_sql_user"),
  ).toEqual([]);
}

const all = process.env.PLATFORM_CRASH_MATRIX === "all";
const types = ["google_sql_database_instance", "google_sql_database", "google_sql_user"] as const;
const creations = types.flatMap((type) =>
  (["before", "after", "half"] as const).map((at) => ({ rpc: "ApplyResourceChange", type, at })),
);
/** Where an answer is lost, and where one is half lost. */
const usual = creations.filter(({ type, at }) => at === "after" || (at === "half" && type === types[0]));
const others = [
  ...["GetProviderSchema", "ValidateProviderConfig", "ConfigureProvider"].map((rpc) => ({ rpc, type: "" })),
  ...["ValidateResourceConfig", "PlanResourceChange"].flatMap((rpc) => types.map((type) => ({ rpc, type }))),
].map((call) => ({ ...call, at: "before" as const }));

describe.skipIf(terraform === undefined)("a database whose making fails", () => {
  test.each(all ? [...creations, ...others] : usual)(
    "at $rpc $type, $at it is done, is completed by the next attempt",
    async ({ rpc, type, at }) => {
      await using stage = await setStage();
      stage.meet(
        once((call) => call.rpc === rpc && call.type === type, {
          at,
          message: "googleapi: Error 503: backendError",
        }),
      );
      // Where the next thing to be made says that it is there already, the first attempt takes it over itself.
      const first = await ensureDataStore(await stage.sql(), wanted).catch((error: unknown) => error);
      expect(isTerraformError(first, "unreachable")).toBe(true);
      await ensureDataStore(await stage.sql(), wanted);
      await everythingIsMade(stage);
    },
  );

  test("by a quota is refused, and says what to do", async () => {
    await using stage = await setStage();
    stage.meet(
      once(({ action }) => action === "create", {
        at: "before",
        message: "googleapi: Error 403: Quota 'instances-per-project' exceeded, quotaExceeded",
      }),
    );
    await expect(ensureDataStore(await stage.sql(), wanted)).rejects.toMatchObject({
      problem: "quota",
      class: "refused",
      message: expect.stringContaining("instances-per-project"),
      mend: expect.stringContaining("quota"),
    });
  });

  test("by credentials that lack a right, says so", async () => {
    await using stage = await setStage();
    stage.meet(
      once(({ action }) => action === "create", {
        at: "before",
        message: "googleapi: Error 403: The client is not authorized to make this request., notAuthorized",
      }),
    );
    await expect(ensureDataStore(await stage.sql(), wanted)).rejects.toMatchObject({
      problem: "credentials",
      class: "rights",
    });
  });

  test("and is rolled back leaves nothing, whether the state had it or not", async () => {
    await using stage = await setStage();
    stage.meet(
      once(({ action }) => action === "create", {
        at: "after",
        message: "googleapi: Error 503: backendError",
      }),
    );
    const sql = await stage.sql();
    await expect(ensureDataStore(sql, wanted)).rejects.toMatchObject({ problem: "unreachable" });
    expect(await sql.contents()).toEqual([]);
    expect(stage.cloud.of("google_sql_database_instance").has("demo-1")).toBe(true);
    await removeDataStore(sql, wanted, "unused");
    expect([...stage.cloud.resources.values()].flatMap((each) => [...each.keys()])).toEqual([]);
  });
});

describe.skipIf(terraform === undefined)("a removal that fails", () => {
  test.each([
    { action: "update" as const, at: "after" as const },
    { action: "delete" as const, at: "before" as const },
    { action: "delete" as const, at: "after" as const },
  ])(
    "at the $action of the instance, $at it is done, is completed by the next attempt",
    async ({ action, at }) => {
      await using stage = await setStage();
      const sql = await stage.sql();
      await ensureDataStore(sql, wanted);
      stage.meet(
        once((call) => call.action === action && call.type === "google_sql_database_instance", {
          at,
          message: "googleapi: Error 503: backendError",
        }),
      );
      await expect(removeDataStore(sql, wanted, "confirmed-by-person")).rejects.toMatchObject({
        problem: "unreachable",
      });
      await removeDataStore(sql, wanted, "confirmed-by-person");
      expect(await sql.contents()).toEqual([]);
      expect([...stage.cloud.resources.values()].flatMap((each) => [...each.keys()])).toEqual([]);
    },
  );
});
