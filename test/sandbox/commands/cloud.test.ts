import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Cloud } from "../../terraform/provider/cloud.ts";
import { startProvider } from "../../terraform/provider/provider.ts";
import { network, project, terraform } from "../../terraform/stage.ts";
import { commandsOnSandbox } from "./commands.ts";

let standards = "";
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "platform-standards-"));
  standards = join(folder, "platform.yaml");
  await writeFile(
    standards,
    `images: { starter: "registry.example.internal/platform/starter:0.1.0" }
database: { provider: cloudsql, cloudsql: { tier: db-custom-2-7680 } }
cache: { provider: memorystore }
google: { project: ${project}, network: ${network}, range: 10.0.0.0/8 }
`,
  );
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const create = [
  "service",
  "create",
  "shop",
  "--language",
  "go",
  "--database",
  "postgres",
  "--cache",
  "redis",
];

test.skipIf(terraform === undefined)(
  "a service is planned, made, and removed with a database and a cache at Google",
  { timeout: 240_000 },
  async () => {
    const cloud = new Cloud(project);
    await using provider = await startProvider({ cloud });
    const { run } = await commandsOnSandbox(provider.environment);
    const dry = await run("--standards", standards, ...create, "--dry-run");
    expect(dry, dry.err).toMatchObject({ code: 0 });
    expect(dry.out).toContain("Terraform: make google_sql_database_instance.this");
    expect(dry.out).toContain("  Database: Cloud SQL in us-central1, PostgreSQL 15");
    expect(dry.out).toContain("    size        db-custom-2-7680, 10 GB disk that grows by itself");
    expect(dry.out).toContain("    price       unknown");
    expect(dry.out).toContain("  Cache: Memorystore in us-central1, Redis 7.0");
    expect(cloud.resources.size).toBe(0);

    const made = await run("--standards", standards, ...create);
    expect(made, made.err).toMatchObject({ code: 0 });
    expect(made.err).toContain("Cloud SQL shop-");
    const [instance] = cloud.of("google_sql_database_instance").values();
    expect(instance).toMatchObject({ settings: [{ tier: "db-custom-2-7680" }] });

    const listed = await run("secret", "list", "shop", "-o", "json");
    expect(JSON.parse(listed.out).items.map(({ name }: { name: string }) => name)).toEqual([
      "shop-cache",
      "shop-db",
    ]);
    expect(await run("secret", "rotate", "shop", "cache", "--yes")).toMatchObject({
      code: 2,
      err: expect.stringContaining("gcloud redis instances update shop-"),
    });
    const rotated = await run("secret", "rotate", "shop", "database", "--yes");
    expect(rotated, rotated.err).toMatchObject({ code: 0 });
    const turned = JSON.parse((await run("secret", "list", "shop", "-o", "json")).out);
    expect(turned.items).toMatchObject([
      { name: "shop-cache", version: 1, rotates: false },
      { name: "shop-db", version: 2, rotates: true, users: ["deployment/shop"] },
    ]);

    // Google does these itself: the command is told, with the instance's name.
    for (const [words, means] of [
      [["backup", "shop", "--yes"], "gcloud sql backups create --instance shop-"],
      [["import", "shop", "--from", "old-shop", "--confirm", "shop"], "gcloud sql import sql shop-"],
    ] as const) {
      const refused = await run("database", ...words);
      expect([refused.code, refused.err]).toEqual([2, expect.stringContaining(means)]);
      expect(refused.err).toContain(`--project ${project}`);
    }

    // A moment comes back as another instance.
    const backup = await run("database", "restore", "shop", "backup-x", "--confirm", "shop");
    expect([backup.code, backup.err]).toEqual([2, expect.stringContaining("--to-time")]);
    const instances = async () => JSON.parse((await run("database", "list", "shop", "-o", "json")).out).items;
    const [old] = await instances();
    expect(old).toMatchObject({ used: true, moments: { from: expect.any(String) } });
    const moment = new Date().toISOString();
    const restore = ["database", "restore", "shop", "--to-time", moment];
    const plan = await run(...restore, "--dry-run");
    expect(plan, plan.err).toMatchObject({ code: 0 });
    expect(plan.out).toContain(`a clone of ${old.name} as it was at ${moment}`);
    expect(plan.out).toContain("Terraform: make google_sql_database_instance.this");
    expect(await run(...restore, "--yes")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--confirm"),
    });
    const past = [
      "database",
      "restore",
      "shop",
      "--to-time",
      "2020-01-02T03:04:05+01:00",
      "--confirm",
      "shop",
    ];
    expect(await run(...past)).toMatchObject({
      code: 2,
      err: expect.stringContaining("2020-01-02T02:04:05.000Z was before"),
    });
    const restored = await run(...restore, "--confirm", "shop", "--yes");
    expect(restored, restored.err).toMatchObject({ code: 0 });
    expect(await instances()).toMatchObject([
      { used: true, from: { instance: old.name, at: moment } },
      { used: false, name: old.name, record: expect.stringMatching(/^app-shop\/configmap\/shop-db-r/) },
    ]);
    const shown = await run("database", "list", "shop");
    expect(shown.out).toContain(old.name);
    expect(shown.err).toContain("orphans delete app-shop/configmap/shop-db-r");

    const remove = ["service", "delete", "shop", "--data-stores", "delete", "--yes"];
    expect(await run(...remove)).toMatchObject({ code: 2, err: expect.stringContaining("protected") });
    const gone = await run(...remove, "--confirm", "shop");
    expect(gone, gone.err).toMatchObject({ code: 0 });
    expect([...cloud.resources.values()].flatMap((all) => [...all.keys()])).toEqual([]);
  },
);

test("a sandbox makes nothing that costs money", async () => {
  const { run } = await commandsOnSandbox();
  const refused = await run("--standards", standards, ...create);
  expect(refused.code).toBe(4);
  expect(refused.err).toContain("no cloud");
  expect((await run("service", "list", "-o", "name")).out).toBe("");
});
