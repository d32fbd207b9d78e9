import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { databaseNames } from "../../../src/application/credentials.ts";
import { backupObjects } from "../../../src/backups/backup-job.ts";
import type { BackupAction } from "../../../src/backups/backup-scripts.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { factsIn } from "../../../src/provisioning/steps/database-copies.ts";
import { storeData } from "../../../src/secrets/rotation.ts";
import { held, runJob } from "./job.ts";
import { postgresPrograms, type RunningPostgres, startPostgres } from "./postgres.ts";
import { folder, type Ran } from "./processes.ts";
import { secretsOf, service, standards, storeOf } from "./service.ts";

const here = postgresPrograms !== undefined;
if (!here) console.warn("PostgreSQL is not installed: what backups' jobs run is not proven here");

const password = "0123456789abcdef0123456789abcdef0123456789abcdef";
const application = service();
const {
  database,
  logins: [user],
} = databaseNames(application);

describe.skipIf(!here)("a backup's jobs, on a real PostgreSQL", () => {
  let server: RunningPostgres;
  let secrets: readonly KubeObject[];
  let volume: { readonly path: string; remove(): Promise<void> };
  beforeAll(async () => {
    secrets = secretsOf(application, "database", [password]);
    server = await startPostgres(storeOf(application, "database"), secrets);
    volume = await folder();
    await chmod(volume.path, 0o777);
    await mkdir(join(volume.path, "work"));
  });
  afterAll(async () => {
    await server?.stop();
    await volume?.remove();
  });

  const own = { user, password };
  const sql = async (statement: string, where = database) => {
    const ran = await server.sql({ ...own, database: where }, statement);
    expect(ran).toMatchObject({ code: 0, err: "" });
    return ran.out.trim();
  };
  const databases = async () =>
    (await server.asSuperuser("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1")).out
      .trim()
      .split("\n");
  const file = (name: string) => join(volume.path, name);

  async function act(
    action: BackupAction,
    backup: string,
    drop: readonly string[] = [],
    forRestore = false,
  ): Promise<Ran & { readonly said: string }> {
    const { job } = backupObjects(application, standards, action, { backup, drop, forRestore });
    const ran = await runJob(job, {
      secrets: held(secrets),
      here: { PGHOST: "127.0.0.1", PGPORT: String(server.port), BACKUPS: volume.path, WORK: file("work") },
    });
    expect(`${ran.out}${ran.err}`).not.toContain(password);
    return ran;
  }
  const fine = { code: 0, err: "" };

  test("what was backed up takes the place of what came after, and back, with nothing lost on the way", async () => {
    await sql(`CREATE TABLE account (id bigserial PRIMARY KEY, owner text NOT NULL);
      INSERT INTO account (owner) SELECT 'o' || n FROM generate_series(1, 500) n;
      CREATE SCHEMA "odd'; DROP TABLE account; --";
      CREATE TABLE "odd'; DROP TABLE account; --"."a ""b" (x int);
      INSERT INTO "odd'; DROP TABLE account; --"."a ""b" VALUES (1), (2);
      CREATE VIEW rich AS SELECT * FROM account WHERE id > 400;`);
    const made = await act("backup", "backup-one");
    expect(made).toMatchObject(fine);
    const facts = factsIn(made.said);
    expect(facts).toMatchObject({ tables: 2, rows: 502 });
    expect(facts?.bytes).toBeGreaterThan(500);

    await sql("DELETE FROM account WHERE id <= 250; CREATE TABLE later (id int)");
    const connected = server.sql(own, "SELECT pg_sleep(600)");
    expect(await act("restore", "backup-one")).toMatchObject(fine);
    expect(await sql("SELECT count(*) FROM account")).toBe("250");
    expect(await databases()).toEqual([database, `${database}_restored`, "postgres"]);

    expect(await act("swap", "backup-one")).toMatchObject(fine);
    expect((await connected).code).not.toBe(0);
    expect(await act("swap", "backup-one")).toMatchObject(fine);
    expect(await sql("SELECT count(*) FROM account")).toBe("500");
    expect(await sql("SELECT count(*) FROM rich")).toBe("100");
    expect(await sql("INSERT INTO account (owner) VALUES ('new') RETURNING id")).toBe("501");
    expect(await sql("SELECT count(*) FROM pg_tables WHERE tablename = 'later'")).toBe("0");

    expect(await act("undo", "backup-one")).toMatchObject(fine);
    expect(await act("undo", "backup-one")).toMatchObject(fine);
    expect(await sql("SELECT count(*) FROM account")).toBe("250");
    expect(await databases()).toEqual([database, "postgres"]);

    for (const action of ["restore", "swap", "drop", "drop"] as const) {
      expect(await act(action, "backup-one")).toMatchObject(fine);
    }
    expect(await sql("SELECT count(*) FROM account")).toBe("500");
    expect(await databases()).toEqual([database, "postgres"]);
    // What it was given again is as closed to others as it was.
    const open = await server.asSuperuser(
      `SELECT has_database_privilege('public', '${database}', 'CONNECT'), pg_get_userbyid(datdba) FROM pg_database WHERE datname = '${database}'`,
    );
    expect(open.out.trim()).toBe(`f|${user}`);
    // Only while a restore is under way the service may make databases.
    expect((await server.sql(own, "CREATE DATABASE another")).err).toContain("permission denied");
  });

  test("what was written until the swap is in the run's own backup, not only what was there when it began", async () => {
    expect(await act("backup", "before-restore-x")).toMatchObject(fine);
    expect(await act("restore", "backup-one")).toMatchObject(fine);
    expect(await sql("INSERT INTO account (owner) VALUES ('late') RETURNING owner")).toBe("late");
    expect(await act("swap", "backup-one")).toMatchObject(fine);
    const kept = await act("last", "before-restore-x");
    expect(kept).toMatchObject(fine);
    expect(factsIn(kept.said)?.rows).toBe(503);
    expect(await act("last", "before-restore-x")).toMatchObject(fine);
    expect(await act("drop", "before-restore-x")).toMatchObject(fine);
    expect(await sql("SELECT count(*) FROM account WHERE owner = 'late'")).toBe("0");
    for (const action of ["restore", "swap", "drop"] as const) {
      expect(await act(action, "before-restore-x")).toMatchObject(fine);
    }
    expect(await sql("SELECT count(*) FROM account WHERE owner = 'late'")).toBe("1");
  });

  test("each engine may stop after any of it: a restore that is begun anew, or taken back, finds its way", async () => {
    expect(await act("backup", "backup-two")).toMatchObject(fine);
    expect(await act("restore", "backup-two")).toMatchObject(fine);
    expect(await act("restore", "backup-two")).toMatchObject(fine);
    expect(await act("undo", "backup-two")).toMatchObject(fine);
    expect(await databases()).toEqual([database, "postgres"]);
    // Stopped between closing the database and the swap: nobody can connect until somebody goes on or back.
    expect(await act("restore", "backup-two")).toMatchObject(fine);
    await sql(`ALTER DATABASE ${database} ALLOW_CONNECTIONS false`, "postgres");
    expect((await server.sql(own, "SELECT 1")).code).toBe(2);
    expect(await act("undo", "backup-two")).toMatchObject(fine);
    expect(await sql("SELECT 1")).toBe("1");
    // A swap without what it swaps leaves everything as it is.
    const vain = await act("swap", "backup-two");
    expect(vain.code).toBe(1);
    expect(vain.err).toContain("the service's is as it was");
    expect(await sql("SELECT 1")).toBe("1");
  });

  test("a dump that is not what was written is not restored, and older ones make room", async () => {
    expect(await act("backup", "backup-three", ["backup-one", "backup-two"])).toMatchObject(fine);
    expect((await act("restore", "backup-one")).err).toContain("there is no backup backup-one");
    const dump = await readFile(file("backup-three.dump"));
    dump[dump.length - 30] = (dump[dump.length - 30] ?? 0) ^ 1;
    await writeFile(file("backup-three.dump"), dump);
    const refused = await act("restore", "backup-three");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("its checksum differs");
    expect(await databases()).toEqual([database, "postgres"]);
  });

  test("after a rotation the other login does the same", async () => {
    const [first, second] = databaseNames(application).logins;
    const next = "fedcba9876543210fedcba9876543210fedcba9876543210";
    await server.asSuperuser(`ALTER ROLE ${second} LOGIN PASSWORD '${next}'; ALTER ROLE ${first} NOLOGIN`);
    const before = secrets;
    secrets = before.map((secret) => ({
      ...secret,
      data: storeData(application, "database", { username: second, password: next }, secret),
    }));
    const connected = server.sql({ user: second, password: next }, "SELECT pg_sleep(600)");
    for (const action of ["backup", "restore", "swap", "undo", "restore", "swap", "drop"] as const) {
      expect(await act(action, "backup-second")).toMatchObject(fine);
    }
    expect((await connected).code).not.toBe(0);
    const owner = await server.asSuperuser(
      `SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '${database}'`,
    );
    expect(owner.out.trim()).toBe(first);
    secrets = before;
    await server.asSuperuser(`ALTER ROLE ${first} LOGIN`);
  });

  test("a database of an older version is left as it is", async () => {
    await server.asSuperuser("\\c postgres\nALTER FUNCTION platform.make_databases RENAME TO not_there");
    expect((await act("restore", "backup-second")).err).toContain("made by an older version");
    // A restore is told before it dumps what is there; a backup alone goes on.
    expect((await act("backup", "backup-older", [], true)).err).toContain("made by an older version");
    expect(await act("backup", "backup-older")).toMatchObject(fine);
    expect(await act("undo", "backup-second")).toMatchObject(fine);
    expect(await sql("SELECT 1")).toBe("1");
    await server.asSuperuser("\\c postgres\nALTER FUNCTION platform.not_there RENAME TO make_databases");
    expect(await act("backup", "backup-older", [], true)).toMatchObject(fine);
  });

  test("rows that differ from those of the backup stop a restore", async () => {
    expect(await act("backup", "backup-four")).toMatchObject(fine);
    await writeFile(
      file("backup-four.rows"),
      (await readFile(file("backup-four.rows"), "utf8")).replace("account|", "account|1"),
    );
    const refused = await act("restore", "backup-four");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("has other rows than backup backup-four had");
    expect(await act("undo", "backup-four")).toMatchObject(fine);
    expect(await databases()).toEqual([database, "postgres"]);
  });
});
