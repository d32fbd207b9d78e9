import { expect, test } from "vitest";
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
