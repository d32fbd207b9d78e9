import { describe, expect, it } from "vitest";
import { runApp } from "../../../src/screens/app.tsx";
import { standardsSchema } from "../../../src/standards/standards.ts";
import type { Feed, UseCases } from "../../../src/state/feeds/feed.ts";
import { dashboard, service } from "./examples.ts";
import { Display, Keyboard } from "./terminal.ts";

const enter = "\u001b[?1049h";
const leave = "\u001b[?1049l";

function start(fleet: Feed, useCases: Promise<UseCases> = new Promise(() => {})) {
  const keyboard = new Keyboard();
  const display = new Display(80, 24);
  const said: string[] = [];
  const code = runApp(useCases, {
    context: "sandbox",
    simulated: true,
    commandLine: (words) => `platform ${words.join(" ")}`,
    contexts: async () => [],
    openContext: () => useCases,
    stdin: keyboard as unknown as NodeJS.ReadStream,
    stdout: display as unknown as NodeJS.WriteStream,
    env: { TERM: "xterm-256color", LANG: "C.UTF-8" },
    afterwards: (text) => said.push(text),
    fleet,
  });
  return { keyboard, display, said, code };
}

/** Use cases of which only the dashboard's part is asked. */
const connected = (): Promise<UseCases> =>
  Promise.resolve({
    cluster: { context: "sandbox", simulated: true },
    standards: standardsSchema.parse({}),
    clock: { sleep: () => new Promise(() => {}), now: () => new Date() },
  } as unknown as UseCases);

describe("app", () => {
  it("leaves with q and gives the terminal back", async () => {
    const { keyboard, display, code, said } = start(async (stores) => {
      stores.fleet.setState({ status: "ready", services: dashboard });
    }, connected());
    await expect.poll(() => display.written).toContain("ledger");
    keyboard.type("q");
    expect(await code).toBe(0);
    expect(display.written.lastIndexOf(leave)).toBeGreaterThan(display.written.lastIndexOf(enter));
    expect(display.written.endsWith("\u001b[?25h")).toBe(true);
    expect(said).toEqual([]);
  });

  it("tells what a crash was once the terminal is the shell's again", async () => {
    const broken = service("broken");
    Object.defineProperty(broken, "verdict", {
      get: () => {
        throw new Error("a defect of the screen");
      },
    });
    const { display, code, said } = start(async (stores) => {
      stores.fleet.setState({ status: "ready", services: [broken] });
    }, connected());
    expect(await code).toBe(1);
    expect(display.written).toContain(leave);
    expect(said.join("")).toContain("a defect of the screen");
    expect(said.join("")).toContain("nothing is half-made");
  });

  it("shows why it could not connect, and stays", async () => {
    const { keyboard, display, code } = start(
      async () => {},
      Promise.reject(new Error("the platform is not installed on prod-eu")),
    );
    await expect.poll(() => display.written).toContain("the platform is not installed on prod-eu");
    keyboard.type("q");
    expect(await code).toBe(0);
  });
});
