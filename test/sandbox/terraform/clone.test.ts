import { describe, expect, test } from "vitest";
import { ensureDataStore, planOfDataStore, removeDataStore } from "../../../src/terraform/data-store.ts";
import { planLines } from "../../../src/terraform/plan.ts";
import type { Plan } from "../../../src/terraform/workspace.ts";
import { database, password, setStage, terraform, workspace } from "../../terraform/stage.ts";

const wanted = { variables: database(), hidden: { password } };
const moment = "2026-01-02T03:04:05Z";
const other = { name: "demo-abcdef0123-db", owner: workspace } as const;
const clone = {
  variables: database({ name: "demo-2", clone: { source_instance: "demo-1", point_in_time: moment } }),
  hidden: { password: "another-one" },
  cloned: true,
};

describe.skipIf(terraform === undefined)("a clone by Terraform", { timeout: 120_000 }, () => {
  test("is planned, made in a state of its own, and what came with it is taken over with the password of now", async () => {
    await using stage = await setStage();
    await ensureDataStore(await stage.sql(), wanted);
    const copy = await stage.sql(other);
    const preview = await planOfDataStore(copy, clone);
    expect(planLines(preview)).toEqual(["make google_sql_database_instance.this"]);
    const plans: Plan[] = [];
    const outputs = await ensureDataStore(copy, { ...clone, review: (plan) => void plans.push(plan) });
    expect(outputs).toMatchObject({ host: "10.20.0.4", connection_name: "acme-prod:us-central1:demo-2" });
    expect(plans.map((plan) => planLines(plan))).toEqual([
      ["make google_sql_database_instance.this"],
      [
        "take over google_sql_database.this",
        '  deletion_policy: "DELETE" → "ABANDON"',
        "take over google_sql_user.this",
        '  deletion_policy: nothing → "ABANDON"',
        "  password_wo_version: nothing → 1",
      ],
    ]);
    expect(stage.cloud.of("google_sql_database_instance").get("demo-2")).toMatchObject({
      settings: [{ deletion_protection_enabled: true, user_labels: { "platform-workspace": workspace } }],
    });
    expect(stage.cloud.login("demo-2", "app_demo", "another-one")).toBe(true);
    expect(stage.cloud.login("demo-1", "app_demo", password)).toBe(true);
    expect(await planOfDataStore(copy, clone)).toMatchObject({ changes: false, drift: [] });
    expect(await planOfDataStore(await stage.sql(), wanted)).toMatchObject({ changes: false, drift: [] });

    // Once its source is gone it is as planned all the same.
    await removeDataStore(await stage.sql(), wanted, "confirmed-by-person");
    expect(await planOfDataStore(copy, clone)).toMatchObject({ changes: false, drift: [] });
    await removeDataStore(copy, clone, "confirmed-by-person");
    expect([...stage.cloud.of("google_sql_database_instance").keys()]).toEqual([]);
  });

  test.each(["ensured again", "removed"] as const)(
    "that was interrupted with its source's settings, and is in no state, is %s",
    async (what) => {
      await using stage = await setStage();
      await ensureDataStore(await stage.sql(), wanted);
      stage.cloud.clonesStopHalfway = true;
      const copy = await stage.sql(other);
      await expect(ensureDataStore(copy, clone)).rejects.toThrow();
      expect(await copy.contents()).toEqual([]);
      stage.cloud.clonesStopHalfway = false;
      if (what === "removed") {
        await removeDataStore(copy, clone, "unused");
        expect([...stage.cloud.of("google_sql_database_instance").keys()]).toEqual(["demo-1"]);
        return;
      }
      await ensureDataStore(copy, clone);
      expect(await planOfDataStore(copy, clone)).toMatchObject({ changes: false, drift: [] });
      expect(stage.cloud.login("demo-2", "app_demo", "another-one")).toBe(true);
    },
  );

  test("of a moment that is not kept is refused by Google, and nothing is left", async () => {
    await using stage = await setStage();
    await ensureDataStore(await stage.sql(), wanted);
    stage.cloud.logsSince = new Date("2026-02-01T00:00:00Z");
    const copy = await stage.sql(other);
    await expect(ensureDataStore(copy, clone)).rejects.toMatchObject({
      message: expect.stringContaining("point in time"),
    });
    await removeDataStore(copy, clone, "unused");
    expect([...stage.cloud.of("google_sql_database_instance").keys()]).toEqual(["demo-1"]);
  });
});
