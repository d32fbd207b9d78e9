import { afterAll, beforeAll, expect, test } from "vitest";
import { sandbox } from "./in-sandbox.ts";
import { freshHome, type Home, run, start } from "./terminal.ts";

let home: Home;

beforeAll(async () => {
  home = await freshHome();
});

afterAll(() => home.remove());

const operator = (...words: string[]) => [...sandbox, "operator", "--metrics-port", "0", ...words];

/** Fields of each line it told, one JSON object a line. */
function told(log: string): readonly Record<string, unknown>[] {
  return log
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("an operator works until it is asked to stop, and ends well", async () => {
  const working = start(home, operator("--health-port", "0"));
  await working.printed('"msg":"caches are complete","controller":"applications"');
  await working.printed('"msg":"caches are complete","controller":"runs"');
  working.child.kill("SIGTERM");
  const { code, out, err } = await working.ended;
  expect(code, err).toBe(0);
  expect(out).toBe("");
  expect(told(err).at(-1)).toMatchObject({ level: "info", msg: "the operator has stopped" });
});

test("a port that is taken, a number that is none: wrong input, with what to type", async () => {
  const working = start(home, operator("--health-port", "0"));
  await working.printed('"msg":"listening"');
  const port = /"healthPort":(\d+)/.exec((await stopped(working)).err)?.[1] ?? "";
  const first = start(home, operator("--health-port", port));
  await first.printed('"msg":"listening"');
  const second = await run(home, operator("--health-port", port));
  expect(second).toMatchObject({ code: 2, err: expect.stringContaining("--health-port and --metrics-port") });
  await stopped(first);
  expect(await run(home, operator("--shards", "none"))).toMatchObject({
    code: 2,
    err: expect.stringContaining("It is a number from 1 to 64."),
  });
});

async function stopped(running: ReturnType<typeof start>) {
  running.child.kill("SIGTERM");
  return running.ended;
}
