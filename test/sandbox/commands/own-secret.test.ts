import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { resources } from "../../../src/cluster/resource.ts";
import { type Commands, commandsOnSandbox } from "./commands.ts";

const known = "kn0wn-v4lue-that-nothing-may-show";

async function withService(): Promise<Commands> {
  const commands = await commandsOnSandbox();
  expect(await commands.run("service", "create", "shop", "--language", "go")).toMatchObject({ code: 0 });
  return commands;
}

async function environment({ cluster }: Commands) {
  const { spec } = await cluster.get(resources.deployments, { namespace: "app-shop", name: "shop" });
  return JSON.stringify(spec);
}

test("a secret of a service's own reaches its pods, rolls them with each value, and goes back with a release", async () => {
  const commands = await withService();
  const { run, given, cluster } = commands;
  const set = (value: string) =>
    given(value, "secret", "set", "shop", "stripe", "--key", "STRIPE_KEY", "--yes");
  expect(await set("one\n")).toMatchObject({ code: 0, out: expect.stringContaining("service shop changed") });
  expect(await environment(commands)).toContain("shop.stripe.stripe-key.1");
  expect(await set("two")).toMatchObject({ code: 0 });
  expect(await environment(commands)).toContain("shop.stripe.stripe-key.2");
  const value = async (version: number) => {
    const name = `shop.stripe.stripe-key.${version}`;
    const { data } = await cluster.get(resources.secrets, { namespace: "app-shop", name });
    return Buffer.from(String(Reflect.get(Object(data), "STRIPE_KEY")), "base64").toString();
  };
  expect([await value(1), await value(2)]).toEqual(["one", "two"]);

  const listed = await run("secret", "list", "shop");
  expect(listed.out).toMatch(/shop\.stripe\.stripe-key\.2 +STRIPE_KEY +2 +\d+s +deployment\/shop/);
  expect(listed.out).not.toContain("stripe-key.1");

  expect(await run("service", "rollback", "shop", "--yes")).toMatchObject({ code: 0 });
  expect(await environment(commands)).toContain("shop.stripe.stripe-key.1");
  // What has been there once is not written over: the value counts on.
  expect(await set("three")).toMatchObject({ code: 0 });
  expect([await value(2), await value(3)]).toEqual(["two", "three"]);
  expect(await environment(commands)).toContain("shop.stripe.stripe-key.3");

  expect(await run("secret", "remove", "shop", "stripe", "--key", "STRIPE_KEY", "--yes")).toMatchObject({
    code: 0,
  });
  expect(await environment(commands)).not.toContain("STRIPE_KEY");
  expect((await run("orphans", "list", "-o", "name")).out).toBe("");
  expect(await run("service", "delete", "shop", "--yes")).toMatchObject({ code: 0 });
});

test("values of several lines are taken as they are; the last line break of one line is not part of it", async () => {
  const commands = await withService();
  const pem = "-----BEGIN KEY-----\nabc=\n-----END KEY-----\n";
  for (const [version, given, stored] of [
    [1, pem, pem],
    [2, "windows\r\n", "windows"],
    [3, "  spaced  ", "  spaced  "],
    [4, "x".repeat(131_072 - "CLIENT_PEM".length - 2), "x".repeat(131_072 - "CLIENT_PEM".length - 2)],
  ] as const) {
    const { code, err } = await commands.given(given, "secret", "set", "shop", "tls", "--key", "CLIENT_PEM");
    expect({ code, err }).toMatchObject({ code: 0 });
    const name = `shop.tls.client-pem.${version}`;
    const { data } = await commands.cluster.get(resources.secrets, { namespace: "app-shop", name });
    expect(Buffer.from(String(Reflect.get(Object(data), "CLIENT_PEM")), "base64").toString()).toBe(stored);
  }
});

test("what cannot be is refused before anything is written, without a word of the value", async () => {
  const commands = await withService();
  const { run, given, cluster } = commands;
  const set = ["secret", "set", "shop", "stripe", "--key", "STRIPE_KEY"] as const;
  const refusals = [
    [await run(...set, known), "a value is no argument"],
    [await run(...set, `--value=${known}`), "a value is no argument"],
    [await run(...set, "--value", known), "a value is no argument"],
    [await run("secret", "set", "shop", "stripe", "--key", `STRIPE_KEY=${known}`), "upper-case letters"],
    [await run("secret", "set", "shop", known.toUpperCase(), "--key", "STRIPE_KEY"), "lower-case letters"],
    [await given(known, "secret", "set", "shop", "../db", "--key", "STRIPE_KEY"), "lower-case letters"],
    [await given(known, "secret", "set", "shop", "a.b", "--key", "STRIPE_KEY"), "lower-case letters"],
    [await given(known, "secret", "set", "shop", "'; DROP TABLE x", "--key", "A"), "lower-case letters"],
    [await given(known, "secret", "set", "shop", "db", "--key", "DATABASE_URL"), "set by the platform"],
    [await given(known, "secret", "set", "shop", "db", "--key", "A__B"), "single underscores"],
    [await given(known, "secret", "set", "shpo", "db", "--key", "A"), "shop"],
    [await given("", ...set), "the value is empty"],
    [await given("\n", ...set), "the value is empty"],
    [await given(`${known}\0`, ...set), "zero byte"],
    [await given(Buffer.from([0xff, 0xfe, 0x41]), ...set), "UTF-8"],
    [await given(known.repeat(5_000), ...set), "has room for 131060 bytes"],
    [await given(known.repeat(60_000), ...set), "has room for 131060 bytes"],
  ] as const;
  for (const [{ code, out, err }, text] of refusals) {
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(text) });
    expect(err).toContain("Nothing was written.");
    expect((out + err).toLowerCase()).not.toContain(known);
  }
  const { items } = await cluster.list(resources.secrets, { namespace: "app-shop" });
  expect(items.filter(({ metadata }) => metadata.name.includes("."))).toEqual([]);
  expect(await given("v", ...set, "--dry-run")).toMatchObject({ code: 0 });
  expect((await cluster.list(resources.secrets, { namespace: "app-shop" })).items).toEqual(items);

  expect(await given("v", ...set)).toMatchObject({ code: 0 });
  expect(await given("v", "secret", "set", "shop", "other", "--key", "STRIPE_KEY")).toMatchObject({
    code: 2,
    err: expect.stringContaining("from secret stripe"),
  });
  expect(await run("secret", "remove", "shop", "other", "--key", "STRIPE_KEY", "--yes")).toMatchObject({
    code: 2,
  });
});

test("nothing but its Secret holds the value: no journal, event, log, output or commit", async () => {
  const commands = await withService();
  const { cluster, given, run } = commands;
  const set = await given(known, "secret", "set", "shop", "stripe", "--key", "STRIPE_KEY", "-o", "json");
  expect(set, set.err).toMatchObject({ code: 0 });
  const runs = JSON.parse((await run("run", "list", "-o", "json")).out).items.map(
    ({ name }: Record<string, string>) => name,
  );
  const shown = await Promise.all([
    ...runs.flatMap((name: string) => [run("run", "show", name), run("run", "logs", name)]),
    run("secret", "list", "shop", "-o", "yaml"),
    run("service", "get", "shop", "-o", "yaml"),
    run("service", "releases", "shop", "-o", "json"),
  ]);
  const encoded = Buffer.from(known).toString("base64").replace(/=+$/, "").slice(0, -2);
  const isIn = (text: string) => text.includes(known) || text.includes(encoded);
  expect([set, ...shown].filter(({ out, err }) => isIn(out + err))).toEqual([]);
  const kinds = await cluster.discover();
  const holding = await Promise.all(
    kinds.map(async (resource) => {
      const { items } = await cluster.list(resource).catch(() => ({ items: [] }));
      return items.filter((item) => isIn(JSON.stringify(item))).map(({ metadata }) => metadata.name);
    }),
  );
  expect(holding.flat()).toEqual(["shop.stripe.stripe-key.1"]);
  const repository = join(commands.repositories, "platform", "shop.git");
  const { stdout: history } = await execa("git", ["-C", repository, "log", "-p", "--all"]);
  expect(history).toContain("kind: Application");
  expect(isIn(history)).toBe(false);
});
