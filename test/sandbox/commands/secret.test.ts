import { expect, test } from "vitest";
import { commandsOnSandbox } from "./commands.ts";

const values = /[0-9a-f]{48}|SCRAM-SHA-256\$|postgresql:\/\/|redis:\/\/[^ ]*@/;

test("a service's secrets are listed without values, and its data stores get new passwords", async () => {
  const { run } = await commandsOnSandbox();
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
  const made = await run(...create);
  expect(made, made.err).toMatchObject({ code: 0 });
  const versions = async () => {
    const { code, out } = await run("secret", "list", "shop", "-o", "json");
    expect(code).toBe(0);
    expect(out).not.toMatch(values);
    const { items } = JSON.parse(out);
    return Object.fromEntries(items.map(({ name, version }: Record<string, string>) => [name, version]));
  };
  expect(await versions()).toEqual({ "shop-db": 1, "shop-cache": 1, "shop-cache-admin": 1 });
  const listed = await run("secret", "list", "shop");
  expect(listed.out).toMatch(/shop-db +database +1 +\d+s +statefulset\/shop-db, deployment\/shop/);
  expect(listed.out).toMatch(/shop-cache-admin +cache +1 +\d+s +statefulset\/shop-cache\n/);
  expect((await run("secret", "ls", "shop", "-o", "name")).out).toBe(
    "secret/shop-cache\nsecret/shop-cache-admin\nsecret/shop-db\n",
  );

  const dry = await run("secret", "rotate", "shop", "database", "--dry-run");
  expect(dry).toMatchObject({ code: 0 });
  expect(dry.out).toContain("Revoke");
  expect(dry.out).not.toMatch(values);
  expect(await versions()).toMatchObject({ "shop-db": 1 });

  for (const [store, version] of [
    ["database", 2],
    ["shop-db", 3],
  ] as const) {
    const { code, out, err } = await run("secret", "rotate", "shop", store, "--yes");
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toContain("service shop given new credentials");
    expect(out + err).not.toMatch(values);
    expect(await versions()).toEqual({ "shop-db": version, "shop-cache": 1, "shop-cache-admin": 1 });
  }
  const lines = (await run("secret", "rotate", "shop", "cache", "-o", "json")).out.trim().split("\n");
  expect(lines.every((line) => JSON.parse(line).apiVersion === "platform.company.com/cli/v1")).toBe(true);
  expect(lines.join("\n")).not.toMatch(values);
  expect(await versions()).toMatchObject({ "shop-cache": 2 });
  // Its next release and its deletion find everything as they need it.
  expect(await run("service", "scale", "shop", "--replicas", "3")).toMatchObject({ code: 0 });
  expect((await run("orphans", "list", "-o", "name")).out).toBe("");
  const gone = await run("service", "delete", "shop", "--data-stores", "delete", "--confirm", "shop");
  expect(gone).toMatchObject({ code: 0 });
});

test("what cannot be rotated is refused with what can be typed instead", async () => {
  const { run } = await commandsOnSandbox();
  expect(await run("service", "create", "plain", "--language", "go")).toMatchObject({ code: 0 });
  expect(await run("secret", "list", "plain")).toMatchObject({
    code: 0,
    out: "",
    err: expect.stringContaining("plain has no secrets"),
  });
  expect(await run("secret", "rotate", "plain", "database", "--yes")).toMatchObject({
    code: 2,
    err: expect.stringContaining("plain has no database"),
  });
  expect(await run("secret", "rotate", "plain", "'; DROP TABLE--", "--yes")).toMatchObject({
    code: 2,
    err: expect.stringContaining("platform --sandbox secret list plain"),
  });
  expect(await run("secret", "list", "plian")).toMatchObject({
    code: 2,
    err: expect.stringContaining("plain"),
  });
});
