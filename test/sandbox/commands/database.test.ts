import { expect, test } from "vitest";
import { resources } from "../../../src/cluster/resource.ts";
import { commandsOnSandbox } from "./commands.ts";

test("a database is backed up, its backups are listed, and one is restored by who names the service", async () => {
  const { run } = await commandsOnSandbox();
  const create = ["service", "create", "shop", "--language", "go", "--database", "postgres"];
  const made = await run(...create);
  expect(made, made.err).toMatchObject({ code: 0 });
  const none = await run("database", "list", "shop");
  expect(none).toMatchObject({ code: 0, out: "" });
  expect(none.err).toContain("database backup shop");

  const dry = await run("database", "backup", "shop", "--dry-run");
  expect(dry).toMatchObject({ code: 0 });
  expect(dry.out).toContain("dumps the database");
  const backup = await run("database", "backup", "shop", "--yes");
  expect(backup, backup.err).toMatchObject({ code: 0 });
  expect(backup.out).toContain("service shop backed up");
  const { items } = JSON.parse((await run("database", "list", "shop", "-o", "json")).out);
  expect(items).toEqual([{ name: expect.stringMatching(/^backup-\w{5}$/), at: expect.any(String) }]);
  const [{ name }] = items;
  // Nothing in a simulated pod runs, and it is not said that anything was read.
  expect((await run("database", "ls", "shop")).out).toMatch(new RegExp(`${name} +\\d+s +– +– +– +no`));

  const unnamed = await run("database", "restore", "shop", name, "--yes");
  expect(unnamed.code).toBe(2);
  expect(unnamed.err).toContain("--confirm shop");
  const unknown = await run("database", "restore", "shop", "backup-other", "--confirm", "shop");
  expect(unknown.code).toBe(2);
  expect(unknown.err).toContain("shop has no backup backup-other");
  const restored = await run("database", "restore", "shop", name, "--confirm", "shop", "--yes");
  expect(restored, restored.err).toMatchObject({ code: 0 });
  expect(restored.out).toContain("service shop restored");
  expect((await run("database", "list", "shop", "-o", "name")).out).toMatch(
    new RegExp(`^backup/before-restore-\\w{5}\nbackup/${name}\n$`),
  );
  expect((await run("orphans", "list", "-o", "name")).out).toBe("");
  const gone = await run("service", "delete", "shop", "--data-stores", "delete", "--confirm", "shop");
  expect(gone).toMatchObject({ code: 0 });
});

test("another database is imported by who names the service, as its plan says, and by a secret that says where it is", async () => {
  const { run, cluster } = await commandsOnSandbox();
  const made = await run("service", "create", "shop", "--language", "go", "--database", "postgres");
  expect(made, made.err).toMatchObject({ code: 0 });
  const unknown = await run("database", "import", "shop", "--from", "old-shop", "--dry-run");
  expect(unknown.code).toBe(2);
  expect(unknown.err).toContain("there is no secret old-shop in app-shop");
  const values = { host: "old.example.com", port: "5432", database: "shop", username: "shop" };
  const data = (given: object) =>
    Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
    );
  await cluster.create(resources.secrets, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "old-shop", namespace: "app-shop" },
    data: data(values),
  });
  const incomplete = await run("database", "import", "shop", "--from", "old-shop", "--dry-run");
  expect(incomplete.code).toBe(2);
  expect(incomplete.err).toContain("it has no password");
  await cluster.patch(
    resources.secrets,
    { namespace: "app-shop", name: "old-shop" },
    { type: "merge", body: { data: data({ password: "old-password" }) } },
  );
  const dry = await run("database", "import", "shop", "--from", "old-shop", "--dry-run");
  expect(dry, dry.err).toMatchObject({ code: 0 });
  expect(dry.out).toContain("from here on the source is read-only");
  const unnamed = await run("database", "import", "shop", "--from", "old-shop", "--yes");
  expect(unnamed.code).toBe(2);
  expect(unnamed.err).toContain("--confirm shop");
  const hostile = await run("database", "import", "shop", "--from", "../x", "--confirm", "shop");
  expect(hostile.code).toBe(2);
  expect(hostile.err).toContain("is not the name of a secret");
  const imported = await run(
    "database",
    "import",
    "shop",
    "--from",
    "old-shop",
    "--confirm",
    "shop",
    "--yes",
  );
  expect(imported, imported.err).toMatchObject({ code: 0 });
  expect(imported.out).toContain("service shop given the imported data");
  for (const { out, err } of [incomplete, dry, imported]) {
    for (const value of ["old.example.com", "old-password"]) expect(`${out}${err}`).not.toContain(value);
  }
});
