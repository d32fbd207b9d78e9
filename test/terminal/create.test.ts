import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { testHome } from "./home.ts";
import { type Home, openScreen, run, start } from "./terminal.ts";

const sandbox = ["--sandbox", "--speed", "200"];
const create = (...words: string[]) => [...sandbox, "service", "create", ...words];

interface JsonLine {
  readonly apiVersion: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

function jsonLines(text: string): readonly JsonLine[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): JsonLine => JSON.parse(line));
}

async function names(home: Home): Promise<string> {
  const { code, out } = await run(home, [...sandbox, "service", "list", "-o", "name"]);
  expect(code).toBe(0);
  return out;
}

/** The newest run's name and phase, as a second process sees it. */
async function newestRun(home: Home): Promise<{ readonly name: string; readonly phase: string }> {
  const { out } = await run(home, [...sandbox, "run", "list", "-o", "json"]);
  const [newest] = JSON.parse(out).items;
  return { name: newest.name, phase: newest.phase };
}

/** From a step the sandbox refuses on, the run cannot go further. */
async function refuse(home: Home, step: string): Promise<void> {
  const added = await run(home, ["sandbox", "fault", "add", "--step", step, "--refuse", "the disk is full"]);
  expect(added).toMatchObject({ code: 0 });
}

describe("a service from one command, without a terminal", () => {
  test("is created, listed, shown and deleted", async () => {
    const home = await testHome();
    const created = await run(
      home,
      create(
        "api-gateway",
        "--language",
        "go",
        "--replicas",
        "3",
        "--database",
        "postgres",
        "--cache",
        "redis",
      ),
    );
    expect(created.code, created.err).toBe(0);
    expect(created.err).toContain("✔");
    expect(created.out).toMatch(/^service api-gateway created in /);

    const list = await run(home, [...sandbox, "service", "list"]);
    expect(list.out).toMatch(/^SERVICE +STATUS +READY/);
    expect(list.out).toMatch(/api-gateway +\S+ +3\/3 +postgres +redis/);

    const again = await run(home, create("api-gateway", "--language", "go"));
    expect(again.code).toBe(2);
    expect(again.err).toMatch(/api-gateway.*exists/);

    const { code, err } = await run(home, [...sandbox, "service", "delete", "api-gateway"]);
    expect(code).toBe(2);
    expect(err).toContain("say --yes");
    // A database that was in use is never destroyed unasked, and never said to be gone.
    const kept = await run(home, [...sandbox, "service", "delete", "api-gateway", "--yes"]);
    expect(kept).toMatchObject({ code: 0, out: expect.stringContaining("data stores are kept") });
    const deleted = await run(home, [
      ...sandbox,
      ...["service", "delete", "api-gateway", "--data-stores", "delete", "--yes"],
    ]);
    expect(deleted).toMatchObject({ code: 0 });
    expect(await names(home)).toBe("");
  });

  test("-o json is a stream of versioned objects that ends with the result", async () => {
    const home = await testHome();
    const { code, out, err } = await run(home, create("shop", "--language", "typescript", "-o", "json"));
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = jsonLines(out);
    expect(new Set(lines.map(({ apiVersion }) => apiVersion))).toEqual(
      new Set(["platform.company.com/cli/v1"]),
    );
    expect(lines.at(-1)).toMatchObject({
      type: "result",
      exitCode: 0,
      run: { service: "shop", phase: "Succeeded" },
    });
    expect(lines.filter(({ type }) => type === "event").length).toBeGreaterThan(5);
    const got = await run(home, [...sandbox, "service", "get", "shop", "-o", "json"]);
    expect(JSON.parse(got.out)).toMatchObject({
      apiVersion: "platform.company.com/cli/v1",
      type: "services",
      items: [{ name: "shop" }],
    });
  });

  test("a dry run prints plan and manifests and writes nothing", async () => {
    const home = await testHome();
    const { code, out } = await run(
      home,
      create("shop", "--language", "go", "--database", "postgres", "--dry-run"),
    );
    expect(code).toBe(0);
    expect(out).toMatch(/Plan to create shop/);
    expect(out).toMatch(/kind: Deployment/);
    expect(out).not.toMatch(/password: (?!\(generated\))\S/);
    expect(await names(home)).toBe("");
    expect((await run(home, [...sandbox, "run", "list", "-o", "name"])).out).toBe("");
  });
});

describe("a step fails", () => {
  test("the run rolls back by itself, exit 1, and nothing remains", async () => {
    const home = await testHome();
    await refuse(home, "apply_kubernetes");
    const { code, err } = await run(home, create("ledger", "--language", "go"));
    expect(code).toBe(1);
    expect(err).toContain("the disk is full");
    expect(err).toContain("rolled back");
    expect(await names(home)).toBe("");
    expect(await newestRun(home)).toMatchObject({ phase: "RolledBack" });
  });

  test("held on request, exit 3; a retry in another process goes on and ends it", async () => {
    const home = await testHome();
    await refuse(home, "configure_network");
    const held = await run(home, create("ledger", "--language", "go", "--on-failure", "hold"));
    expect(held.code).toBe(3);
    const { name, phase } = await newestRun(home);
    expect(phase).toBe("Held");
    expect(held.err).toContain(`run retry ${name}`);
    expect(held.err).toContain(`run rollback ${name}`);
    await run(home, ["sandbox", "fault", "clear"]);
    expect(await run(home, [...sandbox, "run", "retry", name])).toMatchObject({ code: 0 });
    expect(await names(home)).toBe("service/ledger\n");
  });
});

describe("stopped half-way", () => {
  /** A run that a delayed step keeps busy for as long as the test needs. */
  async function busy(home: Home) {
    await run(home, [
      ...["sandbox", "fault", "add", "--delay", "1500ms", "--step", "apply_kubernetes"],
      ...["--times", "1"],
    ]);
    const running = start(home, create("ledger", "--language", "go"));
    await running.printed("… Application");
    return running;
  }

  test.each(["SIGTERM", "SIGINT"] as const)("%s leaves it resumable, exit 130", async (signal) => {
    const home = await testHome();
    const { child, ended } = await busy(home);
    child.kill(signal);
    const { code, err } = await ended;
    expect(code).toBe(130);
    const { name, phase } = await newestRun(home);
    expect(phase).toBe("Interrupted");
    expect(err).toContain(`platform --sandbox run retry ${name}`);
    expect(await run(home, [...sandbox, "run", "retry", name])).toMatchObject({ code: 0 });
    expect(await names(home)).toBe("service/ledger\n");
  });

  test("SIGKILL: another process rolls it back, and nothing remains", async () => {
    const home = await testHome();
    const { child, ended } = await busy(home);
    child.kill("SIGKILL");
    expect((await ended).signal).toBe("SIGKILL");
    const { name } = await newestRun(home);
    // Its holder counts as alive until its heartbeat has been missing for a while.
    const deadline = Date.now() + 60_000;
    for (;;) {
      const { code, err } = await run(home, [...sandbox, "run", "rollback", name, "--yes"]);
      if (code === 0) break;
      expect(code, err).toBe(4);
      if (Date.now() > deadline) throw new Error(`never taken over: ${err}`);
      await wait(500);
    }
    expect(await names(home)).toBe("");
    expect(await newestRun(home)).toMatchObject({ name, phase: "RolledBack" });
  });

  test("ctrl-c on a terminal asks; leaving says how to go on", async () => {
    const home = await testHome();
    await run(home, [
      ...["sandbox", "fault", "add", "--delay", "3s", "--step", "apply_kubernetes"],
      ...["--times", "1"],
    ]);
    const screen = openScreen(home, create("ledger", "--language", "go"), { columns: 100, rows: 40 });
    await screen.shows("… Application");
    screen.type("\x03");
    await screen.shows("leave it resumable");
    screen.type("q\r");
    expect(await screen.exit).toBe(130);
    expect(screen.text()).toContain("run retry ledger-create-");
  });
});
