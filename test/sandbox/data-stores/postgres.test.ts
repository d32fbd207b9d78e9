import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { databaseNames } from "../../../src/application/credentials.ts";
import { scramVerifier } from "../../../src/secrets/scram.ts";
import { valuesOf } from "./pod.ts";
import { postgresPrograms, type RunningPostgres, startPostgres } from "./postgres.ts";
import { secretsOf, service, storeOf } from "./service.ts";

const here = postgresPrograms !== undefined;
if (!here) console.warn("PostgreSQL is not installed: what the database's pod runs is not proven here");

const password = "0123456789abcdef0123456789abcdef0123456789abcdef";
const next = "fedcba9876543210fedcba9876543210fedcba9876543210";
const salt = Uint8Array.from({ length: 16 }, (_, index) => index);

describe.skipIf(!here)("the database of a service, on a real PostgreSQL", () => {
  const application = service();
  const {
    logins: [first, second],
  } = databaseNames(application);
  const own = { user: first, password };
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres(
      storeOf(application, "database"),
      secretsOf(application, "database", [password]),
    );
  });
  afterAll(() => server?.stop());

  test("the service logs in by its Secret's URI, by SCRAM, and works in a database that is its own", async () => {
    const { uri = "", host = "" } = valuesOf(secretsOf(application, "database", [password])[0]);
    const { code, out, err } = await server.byUri(
      uri.replace(`${host}:5432`, `127.0.0.1:${server.port}`),
      "SELECT current_user, current_database()",
    );
    expect({ code, out, err }).toEqual({ code: 0, out: "app_ledger|app_ledger\n", err: "" });
    const stored = await server.asSuperuser(`SELECT rolpassword FROM pg_authid WHERE rolname = '${first}'`);
    expect(stored.out).toMatch(/^SCRAM-SHA-256\$/);
    const work = await server.sql(
      own,
      "CREATE TABLE account (id int); INSERT INTO account VALUES (7); CREATE SCHEMA books; SELECT id FROM account;",
    );
    expect(work).toEqual({ code: 0, out: "7\n", err: "" });
  });

  test.each([
    ["a wrong password", { user: first, password: next }],
    ["no password", { user: first, password: "" }],
    ["the superuser with the service's password", { user: "postgres", password }],
    ["the superuser without one", { user: "postgres", password: "" }],
    ["the login whose turn it is not", { user: second, password }],
    ["somebody unknown", { user: "mallory", password }],
  ])("%s is refused over TCP", async (_, login) => {
    const { code, err } = await server.sql(login, "SELECT 1");
    expect(code).toBe(2);
    expect(err).toMatch(/password authentication failed|no password supplied|not permitted to log in/);
  });

  test.each([
    ["make databases", "CREATE DATABASE other"],
    ["make roles", "CREATE ROLE other"],
    ["give itself rights", `ALTER ROLE ${first} SUPERUSER`],
    ["become the superuser", "SET ROLE postgres"],
    ["read files of the server", "SELECT pg_read_file('/etc/passwd')"],
    ["run programs on the server", "COPY (SELECT 1) TO PROGRAM 'true'"],
    ["read what the server stores of passwords", "SELECT rolpassword FROM pg_authid"],
    ["read settings of files", "SELECT * FROM pg_hba_file_rules"],
  ])("the service cannot %s", async (_, statement) => {
    const { code, err } = await server.sql(own, statement);
    expect(code).not.toBe(0);
    expect(err).toMatch(/permission denied|must be superuser|must be a superuser|must have/);
  });

  test("of other databases it reaches one, and can change nothing in it", async () => {
    expect((await server.sql({ ...own, database: "template1" }, "SELECT 1")).err).toContain(
      "permission denied",
    );
    const elsewhere = { ...own, database: "postgres" };
    for (const statement of [
      "CREATE TABLE public.t (id int)",
      "CREATE TEMPORARY TABLE t (id int)",
      "CREATE SCHEMA mine",
      "UPDATE platform.logins SET first = 'postgres'",
      "DROP FUNCTION platform.disable_other()",
      "CREATE OR REPLACE FUNCTION platform.other_login() RETURNS name LANGUAGE sql AS $$ SELECT 'postgres'::name $$",
    ]) {
      const { code, err } = await server.sql(elsewhere, statement);
      expect({ statement, code, refused: /permission denied|must be owner/.test(err) }).toEqual({
        ...{ statement, code: 3, refused: true },
      });
    }
  });

  test("what is in the service's own database is the service's alone, so that a dump has nothing else", async () => {
    const { out } = await server.sql(
      own,
      "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$' AND nspname <> 'books' ORDER BY 1",
    );
    expect(out).toBe("public\n");
  });

  test("the probes find it started, alive and ready", async () => {
    for (const which of ["startup", "liveness", "readiness"] as const) {
      expect({ which, ...(await server.probe(which)) }).toMatchObject({ which, code: 0, err: "" });
    }
  });

  test("two logins take turns: both are right for a while, then the old one is none, and what either made is the service's", async () => {
    const other = { user: second, password: next };
    const maintenance = { ...own, database: "postgres" };
    const enable = "\\getenv verifier VERIFIER\nSELECT platform.enable_other(:'verifier');";
    // A password itself is refused: it could stand in a log.
    const plain = await server.sql(maintenance, enable, { VERIFIER: "not a verifier" });
    expect(plain.code).toBe(3);
    const enabled = await server.sql(maintenance, enable, { VERIFIER: scramVerifier(next, salt) });
    expect(enabled).toMatchObject({ code: 0, err: "" });
    expect((await server.sql(own, "SELECT 1")).code).toBe(0);
    const made = await server.sql(
      other,
      "CREATE TABLE made_by_second (id int); SELECT current_user, session_user;",
    );
    expect(made).toEqual({ code: 0, out: `${first}|${second}\n`, err: "" });
    expect((await server.sql(own, "ALTER TABLE made_by_second ADD COLUMN more int")).err).toBe("");
    const asOther = { ...other, database: "postgres" };
    expect((await server.sql(asOther, "SELECT platform.sessions_of_other()")).out).toBe("0\n");
    const working = server.sql(own, "SELECT pg_sleep(60)");
    while ((await server.sql(asOther, "SELECT platform.sessions_of_other()")).out !== "1\n");
    expect((await server.sql(asOther, "SELECT platform.disable_other()")).err).toBe("");
    expect((await working).err).toContain("terminating connection due to administrator command");
    expect((await server.sql(own, "SELECT 1")).code).toBe(2);
    expect((await server.sql(other, "DROP TABLE made_by_second; SELECT id FROM account")).out).toBe("7\n");
    // The file in the pod still has the old password: that makes no pod unready.
    expect((await server.probe("startup")).code).not.toBe(0);
    expect((await server.probe("readiness")).code).toBe(0);
    // And back again.
    const back = scramVerifier(password, salt);
    expect((await server.sql(asOther, enable, { VERIFIER: back })).err).toBe("");
    expect((await server.sql(maintenance, "SELECT platform.disable_other()")).err).toBe("");
    expect((await server.sql(own, "SELECT id FROM account")).out).toBe("7\n");
    expect((await server.sql(other, "SELECT 1")).code).toBe(2);
  });

  test("the superuser takes no turn", async () => {
    const { err } = await server.asSuperuser("\\connect postgres\nSELECT platform.disable_other()");
    expect(err).toContain("only the logins of the service may do this");
  });

  test("no password stands in the server's log", () => {
    expect(server.log()).not.toContain(password);
    expect(server.log()).not.toContain(next);
  });
});

describe.skipIf(!here)("names that would be commands", () => {
  const hostile = [
    `"; DROP ROLE postgres; -- '; SELECT pg_terminate_backend(1)`,
    "Ünïcødé 名前 $(touch /tmp/owned) `id` \\",
    "host=evil.example dbname=:'password' %s \\q",
  ];

  test.each(hostile)("%s is a user and a database like any other", async (name) => {
    const application = service(name);
    const server = await startPostgres(
      storeOf(application, "database"),
      secretsOf(application, "database", [password]),
      { POSTGRES_DB: `${name} db` },
    );
    try {
      const login = { user: name, password, database: `${name} db` };
      const { code, out, err } = await server.sql(login, "SELECT current_user, current_database()");
      expect({ code, out, err }).toEqual({ code: 0, out: `${name}|${name} db\n`, err: "" });
      for (const which of ["startup", "liveness", "readiness"] as const) {
        expect({ which, ...(await server.probe(which)) }).toMatchObject({ which, code: 0, err: "" });
      }
      const roles = await server.asSuperuser("SELECT count(*) FROM pg_roles WHERE rolname !~ '^pg_'");
      expect(roles.out).toBe("3\n");
      const [, second] = databaseNames(application).logins;
      const verifier = scramVerifier(next, salt);
      const enabled = await server.sql(
        { user: name, password, database: "postgres" },
        "\\getenv verifier VERIFIER\nSELECT platform.enable_other(:'verifier');",
        { VERIFIER: verifier },
      );
      expect(enabled.err).toBe("");
      const turned = await server.sql({ ...login, user: second, password: next }, "SELECT current_user");
      expect(turned.out).toBe(`${name}\n`);
    } finally {
      await server.stop();
    }
  });
});
