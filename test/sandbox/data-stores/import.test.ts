import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { databaseNames } from "../../../src/application/credentials.ts";
import { importObjects } from "../../../src/backups/import-job.ts";
import type { ImportAction } from "../../../src/backups/import-scripts.ts";
import {
  closedFactsSchema,
  copyFactsSchema,
  saidBy,
  sourceFactsSchema,
} from "../../../src/backups/import-source.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { held, runJob } from "./job.ts";
import { postgresPrograms, type RunningPostgres, startPostgres } from "./postgres.ts";
import { folder, freePort, type Ran } from "./processes.ts";
import { secretsOf, service, standards, storeOf } from "./service.ts";

const here = postgresPrograms !== undefined;
if (!here) console.warn("PostgreSQL is not installed: what imports' jobs run is not proven here");

const password = "0123456789abcdef0123456789abcdef0123456789abcdef";
const application = service();
const {
  database,
  logins: [user],
} = databaseNames(application);

/** Names and a password as somebody who means ill would choose them. */
const foreign = {
  database: `old "shop"'; DROP TABLE account; -- $(id) \${1+1}`,
  username: `o'wner "x" \`id\` %s`,
  password: `p'a"s$s|w\\o:rd 1`,
};
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

describe.skipIf(!here)("an import's jobs, on two real PostgreSQLs", () => {
  let target: RunningPostgres;
  let source: RunningPostgres;
  let secrets: readonly KubeObject[];
  let work: { readonly path: string; remove(): Promise<void> };
  beforeAll(async () => {
    secrets = secretsOf(application, "database", [password]);
    const store = storeOf(application, "database");
    [target, source, work] = await Promise.all([
      startPostgres(store, secrets),
      startPostgres(store, secrets),
      folder(),
    ]);
    await chmod(work.path, 0o777);
    await mkdir(join(work.path, "tmp"));
  });
  afterAll(async () => {
    await Promise.all([target?.stop(), source?.stop(), work?.remove()]);
  });

  const mine = { user, password };
  const theirs = { user: foreign.username, password: foreign.password, database: foreign.database };
  const fine = { code: 0, err: "" };
  const sql = async (statement: string) => {
    const ran = await target.sql(mine, statement);
    expect(ran).toMatchObject(fine);
    return ran.out.trim();
  };
  const atSource = async (statement: string) => {
    const ran = await source.sql(theirs, statement);
    expect(ran).toMatchObject(fine);
    return ran.out.trim();
  };
  const superuser = async (server: RunningPostgres, statement: string) => {
    const ran = await server.asSuperuser(statement);
    expect(ran).toMatchObject({ code: 0 });
    return ran.out.trim();
  };
  const databases = async () =>
    (await superuser(target, "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1")).split(
      "\n",
    );

  /** A source as it may be found: all that a comparison could stumble over. */
  beforeEach(async () => {
    await superuser(
      source,
      `DROP DATABASE IF EXISTS ${quoted(foreign.database)} WITH (FORCE);
      DROP ROLE IF EXISTS ${quoted(foreign.username)};
      CREATE ROLE ${quoted(foreign.username)} LOGIN PASSWORD ${literal(foreign.password)};
      CREATE DATABASE ${quoted(foreign.database)} OWNER ${quoted(foreign.username)};`,
    );
    await atSource(`CREATE TABLE account (id bigserial PRIMARY KEY, owner text NOT NULL, since timestamptz DEFAULT now());
      INSERT INTO account (owner) SELECT 'o' || n FROM generate_series(1, 500) n;
      CREATE TABLE measured (t float8, u real, b bytea, i interval, j jsonb, m money, x text[]);
      INSERT INTO measured VALUES (0.1::float8 + 0.2, 1.0 / 3, '\\x00ff', '1 mon 2 days', '{"b": 1, "a": [null]}', 3.5, '{a,"b c",NULL}'),
        ('NaN', 'Infinity', '', '-1 day', 'null', 0, '{}');
      CREATE TABLE parted (k int, v text) PARTITION BY LIST (k);
      CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
      INSERT INTO parted VALUES (1, 'one');
      CREATE SCHEMA "odd'; DROP TABLE account; --";
      CREATE TABLE "odd'; DROP TABLE account; --"."a ""b" ("%s" int, "t" text);
      INSERT INTO "odd'; DROP TABLE account; --"."a ""b" VALUES (1, 'x'), (2, NULL);
      CREATE TABLE empty ();
      CREATE VIEW rich AS SELECT * FROM account WHERE id > 400;
      SELECT lo_from_bytea(4711, 'large') \\g /dev/null`);
    expect(await act("undo")).toMatchObject(fine);
    await sql(
      "SET client_min_messages TO error; DROP SCHEMA public CASCADE; CREATE SCHEMA public; SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
    );
    await superuser(
      target,
      `SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace WHERE nspname LIKE 'odd%' \\gexec`,
    );
  });

  const sourceSecret = (values: Readonly<Record<string, string>> = {}) => ({
    host: "127.0.0.1",
    port: String(source.port),
    ...foreign,
    sslmode: "disable",
    ...values,
  });

  async function act(
    action: ImportAction,
    {
      was = "writable",
      values = sourceSecret(),
    }: { was?: "writable" | "read-only"; values?: Readonly<Record<string, string>> } = {},
  ): Promise<Ran & { readonly said: string }> {
    const own = action === "swap" || action === "drop" || action === "undo";
    const address = { host: "127.0.0.1", port: source.port };
    const { job } = importObjects(
      application,
      standards,
      action,
      own ? undefined : { secret: "old-shop", address, was },
    );
    const ran = await runJob(job, {
      secrets: new Map([...held(secrets), ["old-shop", values]]),
      here: { PGHOST: "127.0.0.1", PGPORT: String(target.port), WORK: join(work.path, "tmp") },
    });
    const told = `${ran.out}${ran.err}`;
    for (const value of [password, foreign.password, foreign.username, foreign.database]) {
      expect(told).not.toContain(value);
    }
    return ran;
  }

  test("what the source has becomes the service's, with nothing lost, and the source stays as it was and read-only", async () => {
    const proven = await act("prove");
    expect(proven).toMatchObject(fine);
    expect(saidBy(sourceFactsSchema, proven.said)).toMatchObject({ tables: 5, readOnly: false });
    const copied = await act("copy");
    expect(copied).toMatchObject(fine);
    expect(saidBy(copyFactsSchema, copied.said)).toMatchObject({ tables: 5, rows: 505 });
    expect(await databases()).toEqual([database, `${database}_imported`, "postgres"]);
    // It is in use until it is closed.
    expect(await atSource("INSERT INTO account (owner) VALUES ('late') RETURNING id")).toBe("501");
    const connected = source.sql(theirs, "SELECT pg_sleep(600)");
    const closed = await act("close");
    expect(closed).toMatchObject(fine);
    expect(saidBy(closedFactsSchema, closed.said)).toEqual({ whole: true, left: 0 });
    expect((await connected).err).toContain("terminating connection");
    expect((await source.sql(theirs, "DELETE FROM account")).err).toContain("read-only transaction");
    const last = await act("final");
    expect(last).toMatchObject(fine);
    expect(saidBy(copyFactsSchema, last.said)).toMatchObject({ tables: 5, rows: 506 });

    expect(await act("swap")).toMatchObject(fine);
    expect(await act("swap")).toMatchObject(fine);
    expect(await sql("SELECT count(*) FROM account")).toBe("501");
    expect(await sql("SELECT count(*) FROM rich")).toBe("101");
    expect(await sql("SELECT convert_from(lo_get(4711), 'UTF8')")).toBe("large");
    expect(await sql("SELECT t = 0.1::float8 + 0.2 FROM measured WHERE u < 1")).toBe("t");
    expect(await sql("INSERT INTO account (owner) VALUES ('new') RETURNING id")).toBe("502");
    expect(
      await sql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"),
    ).toBe(user);
    expect(await act("drop")).toMatchObject(fine);
    expect(await databases()).toEqual([database, "postgres"]);
    expect((await target.sql(mine, "CREATE DATABASE another")).err).toContain("permission denied");
    expect(await atSource("SELECT count(*) FROM account")).toBe("501");
    expect((await source.sql(theirs, "DELETE FROM account")).err).toContain("read-only transaction");
  });

  test.each([
    ["the copy", ["copy"]],
    ["the source is closed", ["copy", "close"]],
    ["the final copy", ["copy", "close", "final"]],
    ["the swap", ["copy", "close", "final", "swap"]],
  ] as const)("taken back after %s, both are as they were, and it can begin anew", async (_, actions) => {
    for (const round of [1, 2]) {
      expect(await act("prove")).toMatchObject(fine);
      for (const action of actions) {
        expect(await act(action)).toMatchObject(fine);
        expect([action, await act(action)]).toMatchObject([action, fine]);
      }
      // Whoever connects meanwhile has a session that cannot write: it ends, so that the next one can.
      const meanwhile = source.sql(theirs, "SELECT pg_sleep(600)");
      while (
        (await superuser(
          source,
          "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'",
        )) !== "1"
      );
      for (const action of ["undo", "open", "undo", "open"] as const) {
        expect(await act(action)).toMatchObject(fine);
      }
      expect((await meanwhile).code).not.toBe(0);
      expect(await atSource(`INSERT INTO account (owner) VALUES ('again') RETURNING owner`)).toBe("again");
      expect(await databases()).toEqual([database, "postgres"]);
      expect(await sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).toBe("0");
      expect([
        round,
        await superuser(
          source,
          "SELECT count(*) FROM pg_db_role_setting WHERE 'default_transaction_read_only=on' = ANY (setconfig)",
        ),
      ]).toEqual([round, "0"]);
    }
  });

  test("what is in the service's database is named, and nothing is imported over it", async () => {
    await sql(
      `CREATE TABLE "mine""s" (id int); CREATE VIEW w AS SELECT 1; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SCHEMA books;`,
    );
    const refused = await act("prove");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(
      `the service's database is not empty: it has function public.f, schema books, table public."mine""s" and 1 more`,
    );
    await sql(`DROP TABLE "mine""s"; DROP VIEW w; DROP FUNCTION f; DROP SCHEMA books`);
    expect(await act("prove")).toMatchObject(fine);
  });

  test("a service that writes to its own database meanwhile keeps what it wrote", async () => {
    for (const action of ["prove", "copy", "close", "final"] as const)
      expect(await act(action)).toMatchObject(fine);
    await sql("CREATE TABLE written (id int)");
    const refused = await act("swap");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(
      "the service has written to its own database meanwhile: it had table public.written",
    );
    expect(await act("undo")).toMatchObject(fine);
    expect(await sql("SELECT count(*) FROM written")).toBe("0");
    expect(await databases()).toEqual([database, "postgres"]);
  });

  test("what would not be the same stops the import while the source is still in use", async () => {
    await atSource(`CREATE FUNCTION place() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT current_database()::text';
      CREATE TABLE lies (id int, place text GENERATED ALWAYS AS (public.place()) STORED); INSERT INTO lies (id) VALUES (1)`);
    const differs = await act("copy");
    expect(differs.code).toBe(1);
    expect(differs.err).toContain("the copy is not what the source has");
    expect(differs.err).toContain("table public.lies");
    expect(await act("undo")).toMatchObject(fine);
    await atSource("DROP TABLE lies");
    await superuser(source, `\\connect ${quoted(foreign.database)}\nCREATE TABLE public.hidden (id int)`);
    const unreadable = await act("copy");
    expect(unreadable.code).toBe(1);
    expect(unreadable.err).toContain("permission denied for table hidden");
    expect(await act("undo")).toMatchObject(fine);
    await superuser(
      source,
      `\\connect ${quoted(foreign.database)}\nDROP TABLE public.hidden; CREATE EXTENSION pg_stat_statements`,
    );
    expect((await act("prove")).err).toContain(
      "extensions that the service's database cannot have: pg_stat_statements",
    );
  });

  test("whoever writes all the same, or opens the source again, is noticed before the swap", async () => {
    for (const action of ["prove", "copy", "close"] as const) expect(await act(action)).toMatchObject(fine);
    const sly = "INSERT INTO account (owner) VALUES ('sly'); SELECT pg_sleep(0.02);\n".repeat(3_000);
    const writing = source.sql(theirs, `SET default_transaction_read_only TO off;\n${sly}`);
    const rows = async () => Number(await atSource("SELECT count(*) FROM account WHERE owner = 'sly'"));
    while ((await rows()) === 0);
    const noticed = await act("final");
    await superuser(
      source,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND (query LIKE '%pg_sleep(0.02)%' OR query LIKE '%sly%')",
    );
    await writing;
    expect(noticed.code).toBe(1);
    expect(noticed.err).toContain("somebody wrote to the source while it was read-only");
    expect(await act("open")).toMatchObject(fine);
    expect((await act("final")).err).toContain("the source is not read-only any more");
    expect(await act("undo")).toMatchObject(fine);
  });

  test("a login that does not own the source is read-only itself, and says for whom it is not", async () => {
    await superuser(
      source,
      `DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'reading';
      GRANT pg_read_all_data TO reader; GRANT CONNECT ON DATABASE ${quoted(foreign.database)} TO reader;
      \\connect ${quoted(foreign.database)}
      SELECT lo_unlink(4711)`,
    );
    const values = sourceSecret({ username: "reader", password: "reading" });
    const owner = source.sql(theirs, "SELECT pg_sleep(600)");
    while (
      (await superuser(
        source,
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'",
      )) !== "1"
    );
    const closed = await act("close", { values });
    expect(closed).toMatchObject(fine);
    expect(saidBy(closedFactsSchema, closed.said)).toEqual({ whole: false, left: 1 });
    expect(await act("final", { values })).toMatchObject(fine);
    expect(await act("undo")).toMatchObject(fine);
    expect(await act("open", { values })).toMatchObject(fine);
    await superuser(
      source,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'",
    );
    await owner;
  });

  test("a source that was read-only before stays so, whatever becomes of the import", async () => {
    await superuser(
      source,
      `ALTER DATABASE ${quoted(foreign.database)} SET default_transaction_read_only TO on`,
    );
    const proven = await act("prove");
    expect(saidBy(sourceFactsSchema, proven.said)).toMatchObject({ readOnly: true });
    const was = "read-only" as const;
    for (const action of ["copy", "close", "final", "swap", "undo", "open"] as const) {
      expect(await act(action, { was })).toMatchObject(fine);
    }
    expect((await source.sql(theirs, "DELETE FROM account")).err).toContain("read-only transaction");
  });

  test("whom the source does not let in is told why, and no value of the secret", async () => {
    const wrong = await act("prove", { values: sourceSecret({ password: "not it" }) });
    expect(wrong.code).toBe(1);
    expect(wrong.err).toMatch(
      /password authentication failed for user \(username\)\n.*does not let the import in/,
    );
    const port = await freePort();
    const nowhere = await act("prove", { values: sourceSecret({ port: String(port) }) });
    expect(nowhere.err).toContain("Connection refused");
    expect(nowhere.err).not.toContain(String(port));
    expect(nowhere.err).not.toContain("127.0.0.1");
    const { sslmode: _, ...open } = sourceSecret();
    expect((await act("prove", { values: open })).err).toContain("server does not support SSL");
    const itself = {
      host: "127.0.0.1",
      port: String(target.port),
      database,
      username: user,
      password,
      sslmode: "disable",
    };
    expect((await act("prove", { values: itself })).err).toContain(
      "the source is the service's own database",
    );
  });
});
