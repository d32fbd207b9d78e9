import { expect } from "vitest";
import { type Home, run } from "./terminal.ts";

/** The sandbox, fast. */
export const sandbox = ["--sandbox", "--speed", "200"];

/** The words of a creation there. */
export const create = (...words: string[]) => [...sandbox, "service", "create", ...words];

/** The services there are, a line each. */
export async function names(home: Home): Promise<string> {
  const { code, out } = await run(home, [...sandbox, "service", "list", "-o", "name"]);
  expect(code).toBe(0);
  return out;
}

/** The newest run's name and phase, as a second process sees it. */
export async function newestRun(home: Home): Promise<{ readonly name: string; readonly phase: string }> {
  const { out } = await run(home, [...sandbox, "run", "list", "-o", "json"]);
  const [newest] = JSON.parse(out).items;
  return { name: newest.name, phase: newest.phase };
}

/** From a step the sandbox refuses on, the run cannot go further. */
export async function refuse(home: Home, step: string): Promise<void> {
  const added = await run(home, ["sandbox", "fault", "add", "--step", step, "--refuse", "the disk is full"]);
  expect(added).toMatchObject({ code: 0 });
}
