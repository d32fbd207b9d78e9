import { expect, test } from "vitest";
import { type Commands, commandsOnSandbox } from "./commands.ts";

const digest = `sha256:${"a".repeat(64)}`;
const image = `registry.example.internal/platform/shop@${digest}`;

async function withService(...words: readonly string[]): Promise<Commands> {
  const commands = await commandsOnSandbox();
  const { code, err } = await commands.run("service", "create", "shop", "--language", "go", ...words);
  expect({ code, err }).toMatchObject({ code: 0 });
  return commands;
}

/** What the current release runs. */
async function released({ run }: Commands) {
  const { out } = await run("service", "releases", "shop", "-o", "json");
  return JSON.parse(out).items[0].spec;
}

async function runNames({ run }: Commands): Promise<string> {
  return (await run("run", "list", "-o", "name")).out;
}

async function newestRun({ run }: Commands): Promise<{ readonly name: string; readonly phase: string }> {
  const [newest] = JSON.parse((await run("run", "list", "-o", "json")).out).items;
  return { name: newest.name, phase: newest.phase };
}

test("a change shows its diff, is executed, listed as a release, compared, and taken back", async () => {
  const shop = await withService();
  const preview = await shop.run("service", "scale", "shop", "--replicas", "5", "--dry-run");
  expect(preview).toMatchObject({ code: 0, out: expect.stringContaining("~ replicas: 2 → 5") });
  expect(preview.out).toContain("kind: Deployment");
  expect(await runNames(shop)).not.toContain("scale");

  const scaled = await shop.run("service", "scale", "shop", "--replicas", "5");
  expect(scaled).toMatchObject({ code: 0, out: expect.stringMatching(/^service shop scaled/) });
  expect(scaled.err).toContain("~ replicas: 2 → 5");

  const deployed = await shop.run(
    "service",
    "deploy",
    "shop",
    "--image",
    image,
    "--commit",
    "3f2c1ab",
    "-o",
    "json",
  );
  expect(deployed).toMatchObject({ code: 0, err: "" });
  const last = JSON.parse(deployed.out.trim().split("\n").at(-1) ?? "");
  expect(last).toMatchObject({ type: "result", exitCode: 0, run: { operation: "deploy" } });
  expect(last.verbs).toEqual(["rollback"]);

  const releases = await shop.run("service", "releases", "shop");
  expect(releases.out).toMatch(/2 +\* +deployed +registry\.example\.internal\/platform\/shop@sha256:a{12} /);
  expect(releases.out).toMatch(/1 +created/);
  const diff = await shop.run("service", "releases", "shop", "--diff", "1..2");
  expect(diff.out).toContain(`→ ${image}`);

  const back = await shop.run("service", "rollback", "shop");
  expect(back).toMatchObject({ code: 0, out: expect.stringContaining("taken back") });
  expect(await released(shop)).toMatchObject({ starter: true, replicas: 5 });
});

test("set changes what is named, keeps the rest, and refuses what cannot be before anything is written", async () => {
  const shop = await withService("--cache", "redis");
  const set = await shop.run(
    "service",
    "set",
    "shop",
    "--limits",
    "memory=1Gi",
    "--alerts",
    "none",
    "--cache",
    "none",
  );
  expect(set.code, set.err).toBe(0);
  expect(set.err).toContain("- cache.type: redis");
  expect(await released(shop)).toMatchObject({
    resources: { limits: { cpu: "500m", memory: "1Gi" } },
    monitoring: { alerts: [] },
  });
  const before = await runNames(shop);
  for (const [words, message] of [
    [["set", "shop", "--limits", "memory=64Mi"], /below what is requested/],
    [["set", "shop"], /say what to change/],
    [["scale", "shpo", "--replicas", "3"], /no service shpo.*did you mean shop/s],
    [["rollback", "shop", "--to", "9"], /has no release 9/],
    [["releases", "shop", "--diff", "1..9"], /has no release 9/],
    [["releases", "shpo"], /did you mean shop/],
    [["delete", "shpo", "--yes"], /did you mean shop/],
  ] as const) {
    const { code, err } = await shop.run("service", ...words);
    expect({ words, code }).toEqual({ words, code: 2 });
    expect(err).toMatch(message);
  }
  const same = await shop.run("service", "scale", "shop", "--replicas", "2");
  expect(same).toMatchObject({ code: 0, out: expect.stringContaining("nothing to change") });
  expect(await runNames(shop)).toBe(before);
});

test("a deployment that does not get healthy goes back by itself: 1, and what was runs", async () => {
  const shop = await withService();
  const unready = image.replace("@", ":unready@");
  const { code, err } = await shop.run("service", "deploy", "shop", "--image", unready);
  expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("deploy shop rolled back") });
  expect(await newestRun(shop)).toMatchObject({ phase: "RolledBack" });
  expect(await released(shop)).toMatchObject({ starter: true });
  const held = await shop.run("service", "deploy", "shop", "--image", unready, "--on-failure", "hold");
  expect(held.code).toBe(3);
  const { name } = await newestRun(shop);
  const undone = await shop.run("run", "rollback", name);
  expect(undone.code, undone.err).toBe(0);
  // What happened before is not told again.
  expect(undone.err).not.toContain("✔ Preflight");
});

test("another's run is named; who waits begins when it is at rest; cancelled, it can be resumed", async () => {
  const shop = await withService();
  await shop.run("sandbox", "fault", "add", "--step", "apply_kubernetes", "--delay", "4s");
  const first = shop.start("service", "scale", "shop", "--replicas", "4");
  await first.printed("… Application");
  const { name } = await newestRun(shop);
  const refused = await shop.run("service", "scale", "shop", "--replicas", "6");
  expect(refused.code).toBe(4);
  expect(refused.err).toContain(`shop is being worked on: run ${name} (scale), asked for by sandbox`);
  for (const hint of [`run watch ${name}`, "--wait", `run resume ${name}`])
    expect(refused.err).toContain(hint);

  const waiting = shop.start("service", "scale", "shop", "--replicas", "6", "--wait");
  await waiting.printed(`Waiting for run ${name}`);
  await shop.run("sandbox", "fault", "clear");
  expect(await first.ended).toMatchObject({ code: 0 });
  expect(await waiting.ended).toMatchObject({ code: 0 });

  await shop.run("sandbox", "fault", "add", "--step", "apply_kubernetes", "--delay", "4s");
  const third = shop.start("service", "scale", "shop", "--replicas", "3");
  await third.printed("… Application");
  const { name: cancelled } = await newestRun(shop);
  const stopped = await shop.run("run", "cancel", cancelled);
  expect(stopped, stopped.err).toMatchObject({ code: 0 });
  expect(await third.ended).toMatchObject({ code: 130 });
  await shop.run("sandbox", "fault", "clear");
  expect(await newestRun(shop)).toEqual({ name: cancelled, phase: "Interrupted" });
  expect((await shop.run("run", "list")).out).toMatch(/Interrupted.*resume, roll back/);
  expect(await shop.run("run", "resume", cancelled)).toMatchObject({ code: 0 });
  expect((await shop.run("run", "logs", cancelled)).out).toContain("Application: ");
});

test("a data store's provider, size, price and protection are told before it is made", async () => {
  const shop = await commandsOnSandbox();
  const create = ["service", "create", "shop", "--language", "go", "--database", "postgres", "--dry-run"];
  const { out } = await shop.run(...create);
  expect(out).toContain("  Database: postgres 15.15 in the cluster");
  expect(out).toMatch(/^ {4}price {7}[0-9.]+ USD a month, by example prices$/m);
  expect(out).toMatch(/one pod: no failover$/m);
  const document = JSON.parse((await shop.run(...create, "-o", "json")).out);
  expect(document.stores).toMatchObject([{ store: "database", provider: "in-cluster" }]);
  expect(document.stores[0].price).toMatchObject({ currency: "USD", examples: true });

  expect(await shop.run("service", "create", "shop", "--language", "go")).toMatchObject({ code: 0 });
  const cache = await shop.run("service", "set", "shop", "--cache", "redis", "--dry-run");
  expect(cache.out).toContain("  Cache: redis 7.4.7 in the cluster");
  const scale = await shop.run("service", "scale", "shop", "--replicas", "3", "--dry-run");
  expect(scale.out).not.toContain("in the cluster");
});
