import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Application } from "../../../src/application/application.ts";
import {
  certificateKey,
  cloudDatabaseCredentials,
  credentialSecret,
  databaseNames,
} from "../../../src/application/credentials.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { firstVersionWithoutTurns } from "../../../src/secrets/cloud-rotation-scripts.ts";
import { type Login, secretValues, storeData, turnSecret } from "../../../src/secrets/rotation.ts";
import { rotationObjects } from "../../../src/secrets/rotation-job.ts";
import type { TurnAction } from "../../../src/secrets/rotation-scripts.ts";
import { cloudStandards } from "../../provisioning/cloud-stage.ts";
import { openssl, startCloudPostgres } from "./cloud-postgres.ts";
import { held, runJob } from "./job.ts";
import { postgresPrograms } from "./postgres.ts";
import { folder, type Ran, until } from "./processes.ts";
import { service } from "./service.ts";

const installed = postgresPrograms !== undefined && openssl !== undefined;

const password = (digit: string) => digit.repeat(48);

/** A service whose database is at Cloud SQL, on a server of the test's own. */
async function atCloudSql(user?: string) {
  const made = service(user);
  const application: Application = {
    ...made,
    spec: { ...made.spec, database: { type: "postgres", ...made.spec.database, provider: "cloudsql" } },
  };
  const { name, database, logins } = databaseNames(application);
  const server = await startCloudPostgres(logins[0], password("0"), database);
  const { path, remove } = await folder();
  onTestFinished(async () => {
    await server.stop();
    await remove();
  });
  const endpoint = { host: "127.0.0.1", port: server.port, certificates: [server.certificate] };
  const values = cloudDatabaseCredentials(application, endpoint, logins[0], password("0"));
  let secret = credentialSecret(application, "database", name, values);

  /** @param patience - seconds that it waits, for the tests in which it waits in vain */
  function act(action: TurnAction, turn?: KubeObject, patience = 90): Promise<Ran> {
    const { job } = rotationObjects(application, cloudStandards, "database", action);
    return runJob(job, {
      secrets: held(turn === undefined ? [secret] : [secret, turn]),
      here: {},
      edited: (text) =>
        text.replaceAll("/tmp/ca.crt", join(path, "ca.crt")).replaceAll(/\b90\b/g, String(patience)),
    });
  }

  return {
    server,
    logins,
    act,
    turn: (next: Login, previous: Login) =>
      turnSecret(application, "database", { next, previous, version: 2 }, (size) =>
        new Uint8Array(size).fill(7),
      ),
    /** What the service's pods read from now on. */
    switchTo(login: Login) {
      secret = { ...secret, data: storeData(application, "database", login, secret) };
      return secretValues(secret);
    },
    /** What somebody writes into it. */
    tamper(values: Readonly<Record<string, string>>) {
      secret = credentialSecret(application, "database", name, { ...secretValues(secret), ...values });
    },
    /** Connected until somebody ends it; the promise in it resolves then. */
    async connect({ username, password }: Login) {
      const ended = server.sql({ user: username, password }, "SELECT pg_sleep(600)");
      await until(`${username} is connected`, async () =>
        (await server.asGoogle("SELECT usename FROM pg_stat_activity")).out.split("\n").includes(username),
      );
      return {
        async end() {
          await server.asGoogle(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${username}'`,
          );
          await ended;
        },
      };
    },
    works: async ({ username, password }: Login) =>
      (await server.sql({ user: username, password }, "SELECT 1")).code === 0,
  };
}

const fine = { code: 0, out: "", err: "" };

describe.skipIf(!installed)("a rotation's jobs, on a real PostgreSQL made like Cloud SQL's", () => {
  test("two logins take turns as often as one likes, and what either makes is the other's", async ({
    skip,
  }) => {
    const { server, logins, act, turn, switchTo, works, connect } = await atCloudSql();
    skip(server.version >= firstVersionWithoutTurns, "no login may give another its rights there");
    const [first, second] = logins;
    let now: Login = { username: first, password: password("0") };
    const by = (login: Login, statement: string) =>
      server.sql({ user: login.username, password: login.password }, statement);
    expect(await by(now, "CREATE TABLE turns (turn int); CREATE SCHEMA more")).toMatchObject(fine);
    for (let count = 1; count <= 3; count += 1) {
      const next = { username: now.username === first ? second : first, password: password(String(count)) };
      const both = turn(next, now);
      const connected = await connect(now);
      expect(await act("enable", both)).toMatchObject(fine);
      expect(await act("enable", both)).toMatchObject(fine);
      expect([await works(now), await works(next)]).toEqual([true, true]);
      expect(switchTo(next)).toMatchObject({
        ...{ host: "127.0.0.1", port: String(server.port), username: next.username },
        [certificateKey]: server.certificate,
      });
      // A pod is still connected as the old one: no proof.
      const waiting = await act("prove", undefined, 1);
      expect(waiting.code).not.toBe(0);
      expect(waiting.err).toContain(`1 connections still use the old login, ${now.username}`);
      await connected.end();
      expect(await act("prove")).toMatchObject(fine);
      expect(await works(now)).toBe(true);
      expect(await act("revoke")).toMatchObject(fine);
      expect(await act("revoke")).toMatchObject(fine);
      expect([await works(now), await works(next)]).toEqual([false, true]);
      // Whose turn it is changes what was made in other turns, and makes what belongs to the same role.
      const changed = await by(
        next,
        `ALTER TABLE turns ADD COLUMN turn${count} int; INSERT INTO turns VALUES (${count});
         CREATE TABLE more.of${count} (id int); CREATE ROLE own${count};`,
      );
      expect(changed).toMatchObject(fine);
      now = next;
    }
    const owners = await by(now, "SELECT DISTINCT tableowner FROM pg_tables WHERE tablename ~ '^(turns|of)'");
    expect(owners.out).toBe(`${first}\n`);
    // Every statement is in the log; of passwords there is only what SCRAM stores of them.
    expect(server.log()).toContain("SCRAM-SHA-256$4096:");
    for (const digit of ["0", "1", "2", "3"]) expect(server.log()).not.toContain(password(digit));
  });

  test("taken back at any point: the old login goes on, the new one cannot log in", async ({ skip }) => {
    const { server, logins, act, turn, works, connect } = await atCloudSql('we"ird');
    skip(server.version >= firstVersionWithoutTurns, "no login may give another its rights there");
    const [first, second] = logins;
    const [old, next] = [
      { username: first, password: password("0") },
      { username: second, password: password("1") },
    ];
    // Before the job has made anything.
    expect(await act("revoke")).toMatchObject(fine);
    expect(await works(old)).toBe(true);
    expect(await act("enable", turn(next, old))).toMatchObject(fine);
    expect(await works(next)).toBe(true);
    // The first login may not end what the second has begun: it is waited for, and told.
    const connected = await connect(next);
    const waiting = await act("revoke", undefined, 1);
    expect(waiting.err).toContain(`1 connections still use the login ${second}, which can log in no more`);
    expect(await works(next)).toBe(false);
    await connected.end();
    expect(await act("revoke")).toMatchObject(fine);
    expect([await works(old), await works(next)]).toEqual([true, false]);
  });

  test("what is somebody else's, or would log a password, is left as it is", async ({ skip }) => {
    const { server, logins, act, turn, works, connect } = await atCloudSql();
    skip(server.version >= firstVersionWithoutTurns, "no login may give another its rights there");
    const [first, second] = logins;
    const [old, next] = [
      { username: first, password: password("0") },
      { username: second, password: password("1") },
    ];
    const plain = { ...turn(next, old) };
    const verifier = Buffer.from(password("1")).toString("base64");
    const refused = await act("enable", { ...plain, data: { ...Object(plain.data), verifier } });
    expect(refused.err).toContain("not given as what SCRAM-SHA-256 stores of it");
    expect(await works(next)).toBe(false);
    await server.asGoogle(`CREATE ROLE "${second}" LOGIN PASSWORD '${password("9")}'`);
    const taken = await act("enable", turn(next, old));
    expect(taken.err).toContain(`there is a login ${second} already`);
    const stranger = { username: second, password: password("9") };
    const connected = await connect(stranger);
    expect(await act("revoke")).toMatchObject(fine);
    expect(await works(stranger)).toBe(true);
    await connected.end();
  });

  test("PostgreSQL 16 and later is told apart, and nothing is changed", async ({ skip }) => {
    const { server, logins, act, turn } = await atCloudSql();
    skip(server.version < firstVersionWithoutTurns, "an older PostgreSQL is installed");
    const [first, second] = logins;
    const refused = await act(
      "enable",
      turn({ username: second, password: password("1") }, { username: first, password: password("0") }),
    );
    expect(refused.err).toContain("no two can take turns");
    expect((await server.asGoogle(`SELECT 1 FROM pg_roles WHERE rolname = '${second}'`)).out).toBe("");
  });

  test("neither a wrong password nor a stranger's certificate gets on, and no value is told", async () => {
    const { act, tamper } = await atCloudSql();
    tamper({ password: password("8") });
    for (const action of ["prove", "revoke"] as const) {
      const { code, out, err } = await act(action);
      expect([action, code]).not.toEqual([action, 0]);
      expect(`${out}${err}`).toContain("authentication failed");
      expect(`${out}${err}`).not.toContain(password("8"));
    }
    tamper({ password: password("0"), [certificateKey]: "none" });
    expect((await act("prove")).err).toContain("certificate");
  });
});
