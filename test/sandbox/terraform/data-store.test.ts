import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ensureDataStore, planOfDataStore, removeDataStore } from "../../../src/terraform/data-store.ts";
import type { TerraformEvent } from "../../../src/terraform/events.ts";
import { memorystoreAuth } from "../../../src/terraform/memorystore.ts";
import { planLines } from "../../../src/terraform/plan.ts";
import type { Plan } from "../../../src/terraform/workspace.ts";
import { cache, database, password, setStage, terraform, workspace } from "../../terraform/stage.ts";

const hidden = { password };
const wanted = { variables: database(), hidden };

describe.skipIf(terraform === undefined)("a database by Terraform", () => {
  test("is planned, made with all that guards it, told of, and then nothing is left to change", async () => {
    await using stage = await setStage();
    const sql = await stage.sql();
    const plans: Plan[] = [];
    const events: TerraformEvent[] = [];
    const outputs = await ensureDataStore(sql, {
      ...wanted,
      review: (plan) => void plans.push(plan),
      onEvent: (event) => void events.push(event),
    });
    expect(outputs).toMatchObject({
      host: "10.20.0.3",
      port: 5432,
      database: "app_demo",
      username: "app_demo",
      connection_name: "acme-prod:us-central1:demo-1",
    });
    expect(plans.map((plan) => plan.resources.map(({ action, address }) => `${action} ${address}`))).toEqual([
      [
        "create google_sql_database.this",
        "create google_sql_database_instance.this",
        "create google_sql_user.this",
      ],
    ]);
    const told = events.flatMap((event) =>
      event.type === "resource" && event.action === "create" ? [`${event.phase} ${event.address}`] : [],
    );
    expect(told).toContain("start google_sql_database_instance.this");
    expect(told).toContain("complete google_sql_user.this");
    expect(stage.cloud.login("demo-1", "app_demo", password)).toBe(true);
    expect(stage.cloud.of("google_sql_database_instance").get("demo-1")).toMatchObject({
      database_version: "POSTGRES_15",
      region: "us-central1",
      deletion_protection: true,
      settings: [
        {
          deletion_protection_enabled: true,
          edition: "ENTERPRISE",
          connector_enforcement: "NOT_REQUIRED",
          user_labels: { service: "demo", "platform-workspace": workspace },
          ip_configuration: [{ ssl_mode: "ENCRYPTED_ONLY", ipv4_enabled: false }],
          backup_configuration: [{ enabled: true, point_in_time_recovery_enabled: true }],
          final_backup_config: [{ enabled: true, retention_days: 30 }],
          maintenance_window: [{ day: 7, hour: 4 }],
          database_flags: [{ name: "cloudsql.iam_authentication", value: "on" }],
        },
      ],
    });
    expect((await stat(sql.folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(sql.folder, "terraform.tfvars.json"))).mode & 0o777).toBe(0o600);
    const again = await planOfDataStore(sql, wanted);
    expect(again).toMatchObject({ changes: false, drift: [] });
    expect(planLines(again)).toEqual([]);
  });

  test("is reached through Google's connectors only, where there is no network", async () => {
    await using stage = await setStage();
    const outputs = await ensureDataStore(await stage.sql(), {
      ...wanted,
      variables: database({ network: null }),
    });
    expect(outputs.host).toBe("acme-prod:us-central1:demo-1");
    expect(stage.cloud.of("google_sql_database_instance").get("demo-1")).toMatchObject({
      settings: [{ connector_enforcement: "REQUIRED", ip_configuration: [{ ipv4_enabled: true }] }],
    });
  });

  test("is changed in place, and a person sees what changes", async () => {
    await using stage = await setStage();
    const sql = await stage.sql();
    await ensureDataStore(sql, wanted);
    const lines: string[] = [];
    await ensureDataStore(sql, {
      ...wanted,
      variables: database({ tier: "db-custom-2-7680" }),
      review: (plan) => void lines.push(...planLines(plan)),
    });
    expect(lines).toEqual([
      "change google_sql_database_instance.this",
      '  settings.0.tier: "db-custom-1-3840" → "db-custom-2-7680"',
    ]);
  });

  test("is told of where somebody changed it meanwhile", async () => {
    await using stage = await setStage();
    const sql = await stage.sql();
    await ensureDataStore(sql, wanted);
    const all = stage.cloud.of("google_sql_database");
    all.clear();
    const plan = await planOfDataStore(sql, wanted);
    expect(planLines(plan)).toEqual([
      "make google_sql_database.this",
      "google_sql_database.this is gone: somebody deleted it",
    ]);
  });

  test("is never replaced: the change that needs it is refused, and nothing happens", async () => {
    await using stage = await setStage();
    const sql = await stage.sql();
    await ensureDataStore(sql, wanted);
    await expect(
      ensureDataStore(sql, { ...wanted, variables: database({ region: "europe-west1", name: "demo-2" }) }),
    ).rejects.toMatchObject({
      problem: "data-loss",
      class: "refused",
      message: expect.stringContaining("nothing was changed"),
    });
    expect(await planOfDataStore(sql, wanted)).toMatchObject({ changes: false });
    expect(stage.provider.calls.filter(({ action }) => action === "delete")).toEqual([]);
  });

  test("gets a new password when its version changes, and only then", async () => {
    await using stage = await setStage();
    const sql = await stage.sql();
    await ensureDataStore(sql, wanted);
    await ensureDataStore(sql, { ...wanted, hidden: { password: "another-password" } });
    expect(stage.cloud.login("demo-1", "app_demo", password)).toBe(true);
    await ensureDataStore(sql, {
      ...wanted,
      variables: database({ password_version: 2 }),
      hidden: { password: "another-password" },
    });
    expect(stage.cloud.login("demo-1", "app_demo", "another-password")).toBe(true);
  });

  test("takes its password from Google's Secret Manager by itself", async () => {
    await using stage = await setStage();
    stage.cloud.secrets.set("projects/acme-prod/secrets/demo-db/versions/1", password);
    const sql = await stage.sql();
    const { hidden: _, ...without } = wanted;
    const options = {
      ...without,
      variables: database({
        password_secret: { project: "acme-prod", secret: "demo-db", version: "1" },
      }),
    };
    await ensureDataStore(sql, options);
    expect(stage.cloud.login("demo-1", "app_demo", password)).toBe(true);
    expect(await planOfDataStore(sql, options)).toMatchObject({ changes: false });
  });

  test("is removed with its protection lifted, a last backup, and nothing left", async () => {
    await using stage = await setStage();
    const sql = await stage.sql();
    await ensureDataStore(sql, wanted);
    await removeDataStore(sql, wanted, "confirmed-by-person");
    expect(await sql.contents()).toEqual([]);
    expect([...stage.cloud.resources.values()].flatMap((all) => [...all.keys()])).toEqual([]);
    expect(stage.cloud.finalBackups).toEqual(["demo-1"]);
    // Once more: there is nothing to do.
    await removeDataStore(sql, wanted, "confirmed-by-person");
  });

  test("another's instance of the same name is left as it is", async () => {
    await using stage = await setStage();
    await ensureDataStore(await stage.sql(), wanted);
    const other = await stage.sql({ name: "other-0123456789-db" });
    await expect(ensureDataStore(other, wanted)).rejects.toMatchObject({
      problem: "exists",
      class: "conflict",
      message: expect.stringContaining("not this service's"),
    });
    await expect(removeDataStore(other, wanted, "unused")).rejects.toMatchObject({ problem: "exists" });
    expect(stage.cloud.of("google_sql_database_instance").has("demo-1")).toBe(true);
  });

  test("a plan that is not the one that was shown is not applied", async () => {
    await using stage = await setStage();
    const sql = await stage.sql();
    await sql.prepare();
    const shown = await sql.plan({ variables: database(), hidden });
    await sql.plan({ variables: database({ tier: "db-custom-4-15360" }), hidden });
    await expect(sql.apply(shown, "refuse")).rejects.toMatchObject({ problem: "other-plan" });
    expect(stage.cloud.of("google_sql_database_instance").size).toBe(0);
  });

  test("a plan of a state that another has changed meanwhile is not applied", async () => {
    await using stage = await setStage();
    const [here, there] = [await stage.sql(), await stage.sql({ root: join(stage.root, "elsewhere") })];
    await here.prepare();
    const plan = await here.plan({ variables: database(), hidden });
    await ensureDataStore(there, wanted);
    await expect(here.apply(plan, "refuse")).rejects.toMatchObject({ problem: "stale-plan" });
  });

  test("a state that could not be saved is saved by the next who comes", async () => {
    await using stage = await setStage();
    const sql = await stage.sql();
    await ensureDataStore(sql, wanted);
    const state = join(stage.root, `${workspace}.tfstate`);
    const before = await readFile(state, "utf8");
    await rename(state, join(sql.folder, "errored.tfstate"));
    await writeFile(state, JSON.stringify({ ...JSON.parse(before), serial: 1, resources: [], outputs: {} }));
    expect(await planOfDataStore(sql, wanted)).toMatchObject({ changes: false });
  });
});

describe.skipIf(terraform === undefined)("a cache by Terraform", () => {
  test("has AUTH, TLS and protection; its password is told by no output", async () => {
    await using stage = await setStage();
    const redis = await stage.redis();
    const options = { variables: cache() };
    const outputs = await ensureDataStore(redis, options);
    expect(outputs).toEqual({
      host: "10.30.0.4",
      port: 6378,
      ca_certificates: ["-----BEGIN CERTIFICATE-----"],
    });
    const made = stage.cloud.of("google_redis_instance").get("demo-1-cache");
    expect(made).toMatchObject({
      auth_enabled: true,
      transit_encryption_mode: "SERVER_AUTHENTICATION",
      redis_version: "REDIS_7_0",
      deletion_protection: true,
    });
    expect(await redis.secret(memorystoreAuth.address, memorystoreAuth.attribute)).toBe(made?.auth_string);
    expect(await planOfDataStore(redis, options)).toMatchObject({ changes: false });
    await removeDataStore(redis, options, "unused");
    expect(stage.cloud.of("google_redis_instance").size).toBe(0);
  });
});
