import { onTestFinished } from "vitest";
import { freshHome, type Home } from "./terminal.ts";

/** A fresh state folder that goes when the test has ended. */
export async function testHome(): Promise<Home> {
  const home = await freshHome();
  onTestFinished(() => home.remove());
  return home;
}
