import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { testHome } from "./home.ts";
import { create, names, newestRun, sandbox } from "./in-sandbox.ts";
import { type Home, openScreen, run, start } from "./terminal.ts";

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
    expect(err).toContain(`platform --sandbox run resume ${name}`);
    expect(await run(home, [...sandbox, "run", "resume", name])).toMatchObject({ code: 0 });
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
    expect(screen.text()).toContain("run resume ledger-create-");
  });
});
