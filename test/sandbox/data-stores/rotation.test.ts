import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cacheAdmin, credentialSecret } from "../../../src/application/credentials.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import {
  type Login,
  type Rotatable,
  secretValues,
  storeData,
  storeNames,
  turnSecret,
} from "../../../src/secrets/rotation.ts";
import { rotationObjects } from "../../../src/secrets/rotation-job.ts";
import type { TurnAction } from "../../../src/secrets/rotation-scripts.ts";
import { held, runJob } from "./job.ts";
import { postgresPrograms, type RunningPostgres, startPostgres } from "./postgres.ts";
import type { Ran } from "./processes.ts";
import { type RunningRedis, redisPrograms, startRedis } from "./redis.ts";
import { secretsOf, service, standards, storeOf } from "./service.ts";

if (postgresPrograms === undefined || redisPrograms === undefined) {
  console.warn("PostgreSQL or Redis is not installed: what a rotation's jobs run is not proven here for it");
}

const application = service();
const old = "0123456789abcdef0123456789abcdef0123456789abcdef";
const fresh = "fedcba9876543210fedcba9876543210fedcba9876543210";
const adminPassword = "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffff";

/** @param patience - seconds that it waits, for the tests in which it waits in vain */
function act(
  store: Rotatable,
  action: TurnAction,
  secrets: readonly KubeObject[],
  here: Readonly<Record<string, string>>,
  patience = 90,
): Promise<Ran> {
  const { job } = rotationObjects(application, standards, store, action);
  return runJob(job, {
    secrets: held(secrets),
    here,
    edited: (text) => text.replaceAll(/\b90\b/g, String(patience)),
  });
}

/** What the Secrets of a rotation are before the pods are moved over, and after. */
function secretsBefore(store: Rotatable): { readonly before: KubeObject[]; readonly after: KubeObject[] } {
  const { name, logins } = storeNames(application, store);
  const previous: Login = { username: logins[0], password: old };
  const next: Login = { username: logins[1], password: fresh };
  const made = secretsOf(application, store, [old, adminPassword]);
  const turn = turnSecret(application, store, { next, previous, version: 2 }, (size) =>
    new Uint8Array(size).fill(7),
  );
  const [read, ...more] = made;
  const empty = credentialSecret(application, store, name, {});
  const changed = { ...empty, data: storeData(application, store, next, empty) };
  return { before: [...(read === undefined ? [] : [read]), ...more, turn], after: [changed, ...more, turn] };
}

const fine = { code: 0, err: "" };

describe.skipIf(postgresPrograms === undefined)("a rotation's jobs, on a real PostgreSQL", () => {
  const { before, after } = secretsBefore("database");
  const [first, second] = storeNames(application, "database").logins;
  let server: RunningPostgres;
  let here: Readonly<Record<string, string>>;
  beforeAll(async () => {
    server = await startPostgres(storeOf(application, "database"), before);
    here = { PGHOST: "127.0.0.1", PGPORT: String(server.port) };
  });
  afterAll(() => server?.stop());
  const works = async (user: string, password: string) =>
    (await server.sql({ user, password }, "SELECT 1")).code === 0;

  test("nobody is without a right password at any time, and the old one ends only when nobody uses it", async () => {
    const connected = server.sql({ user: first, password: old }, "SELECT pg_sleep(600)");
    expect(await act("database", "enable", before, here)).toMatchObject(fine);
    expect(await act("database", "enable", before, here)).toMatchObject(fine);
    expect([await works(first, old), await works(second, fresh)]).toEqual([true, true]);
    // A pod is still connected as the old one: no proof.
    const waiting = await act("database", "prove", after, here, 1);
    expect(waiting.code).not.toBe(0);
    expect(waiting.err).toContain(`1 connections still use the old login, ${first}`);
    await server.asSuperuser(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${first}'`,
    );
    await connected;
    expect(await act("database", "prove", after, here)).toMatchObject(fine);
    expect(await works(first, old)).toBe(true);
    expect(await act("database", "revoke", after, here)).toMatchObject(fine);
    expect(await act("database", "revoke", after, here)).toMatchObject(fine);
    expect([await works(first, old), await works(second, fresh)]).toEqual([false, true]);
    for (const value of [old, fresh]) expect(server.log()).not.toContain(value);
  });

  test("taken back: the login that was given a password has none again", async () => {
    const logins = secretsBefore("database");
    const server = await startPostgres(storeOf(application, "database"), logins.before);
    try {
      const there = { PGHOST: "127.0.0.1", PGPORT: String(server.port) };
      expect(await act("database", "enable", logins.before, there)).toMatchObject(fine);
      expect(await act("database", "revoke", logins.before, there)).toMatchObject(fine);
      expect((await server.sql({ user: second, password: fresh }, "SELECT 1")).code).toBe(2);
      expect((await server.sql({ user: first, password: old }, "SELECT 1")).code).toBe(0);
    } finally {
      await server.stop();
    }
  });

  test("what goes wrong is told without a value of a Secret", async () => {
    for (const action of ["enable", "prove", "revoke"] as const) {
      const { code, out, err } = await act("database", action, before, here);
      expect([action, code]).not.toEqual([action, 0]);
      expect(`${out}${err}`).toContain("authentication failed");
      expect(`${out}${err}`).not.toMatch(/SCRAM-SHA-256\$|0123456789abcdef|fedcba98/);
    }
  });
});

describe.skipIf(redisPrograms === undefined)("a rotation's jobs, on a real Redis", () => {
  const { before, after } = secretsBefore("cache");
  const [first, second] = storeNames(application, "cache").logins;
  let server: RunningRedis;
  let here: Readonly<Record<string, string>>;
  beforeAll(async () => {
    server = await startRedis(
      storeOf(application, "cache"),
      secretsOf(application, "cache", [old, adminPassword]),
    );
    here = { STORE_HOST: "127.0.0.1", STORE_PORT: String(server.port) };
  });
  afterAll(() => server?.stop());
  const works = async (user: string, password: string) =>
    (await server.command({ user, password }, "PING")).out === "PONG\n";

  test("nobody is without a right password at any time, and the old one ends only when nobody uses it", async () => {
    const connected = server.command({ user: first, password: old }, "BLPOP", "nothing", "30");
    const connections = async () =>
      (await server.command({ user: cacheAdmin, password: adminPassword }, "CLIENT", "LIST")).out;
    while (!(await connections()).includes(`user=${first}`));
    expect(await act("cache", "enable", before, here)).toMatchObject(fine);
    expect(await act("cache", "enable", before, here)).toMatchObject(fine);
    expect([await works(first, old), await works(second, fresh)]).toEqual([true, true]);
    expect((await server.command({ user: second, password: fresh }, "CONFIG", "GET", "*")).err).toContain(
      "NOPERM",
    );
    const waiting = await act("cache", "prove", after, here, 1);
    expect(waiting).toMatchObject({ code: 1, err: `1 connections still use the old login, ${first}\n` });
    expect(await act("cache", "revoke", after, here)).toMatchObject(fine);
    expect((await connected).code).not.toBe(0);
    expect(await act("cache", "prove", after, here)).toMatchObject(fine);
    expect(await act("cache", "revoke", after, here)).toMatchObject(fine);
    expect([await works(first, old), await works(second, fresh)]).toEqual([false, true]);
  });

  test("what goes wrong is told without a value of a Secret", async () => {
    const wrong = after.map((secret) =>
      credentialSecret(
        application,
        "cache",
        secret.metadata.name,
        Object.fromEntries(
          Object.entries(secretValues(secret)).map(([key, value]) => [
            key,
            key === "password" ? "wrong" : value,
          ]),
        ),
      ),
    );
    for (const action of ["enable", "prove", "revoke"] as const) {
      const { code, out, err } = await act("cache", action, wrong, here);
      expect([action, code]).toEqual([action, 1]);
      expect(`${out}${err}`).toContain("the cache ");
      expect(`${out}${err}`).not.toMatch(/0123456789abcdef|fedcba98|aaaabbbb/);
    }
  });
});
