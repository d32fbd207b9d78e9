import { describe, expect, test } from "vitest";
import { testHome } from "./home.ts";
import { create, names, newestRun, refuse, sandbox } from "./in-sandbox.ts";
import { run } from "./terminal.ts";

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
