import { expect, onTestFinished, test } from "vitest";
import { freshHome, openScreen } from "./terminal.ts";

const size = { columns: 100, rows: 40 };
const value = "kn0wn-v4lue";

/** The program where it asks for a value. */
async function asked() {
  const home = await freshHome();
  const sandbox = ["--sandbox", "--speed", "200"];
  const create = [...sandbox, "service", "create", "shop", "--language", "go", "--yes"];
  expect(await openScreen(home, create, size).exit).toBe(0);
  const set = ["secret", "set", "shop", "stripe", "--key", "STRIPE_KEY"];
  const screen = openScreen(home, [...sandbox, ...set], size);
  onTestFinished(async () => {
    screen.pty.kill("SIGKILL");
    await home.remove();
  });
  await screen.shows("(not shown):");
  return screen;
}

test("what is typed as a value is never on the screen", async () => {
  const screen = await asked();
  screen.type(`${value}x\x7f\r`);
  expect(await screen.exit).toBe(0);
  expect(screen.raw()).toContain("service shop changed");
  expect(screen.raw()).not.toContain("kn0wn");
});

test("a paste of several lines is refused, and nothing of it is left to the shell", async () => {
  const screen = await asked();
  screen.type(`${value}\rsecond\r`);
  await screen.shows("several lines");
  expect(await screen.exit).toBe(2);
  expect(screen.raw()).not.toMatch(/kn0wn|second/);
});

test("ctrl-c leaves with nothing written", async () => {
  const screen = await asked();
  screen.type("kn0\x03");
  await screen.shows("Nothing was written.");
  expect(await screen.exit).toBe(130);
});
