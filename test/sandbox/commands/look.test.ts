import { expect, test } from "vitest";
import { commandsOnSandbox } from "./commands.ts";

test("logs of every pod, where a service answers, and where its repository is", async () => {
  const { run } = await commandsOnSandbox();
  const create = ["service", "create", "shop", "--language", "go", "--exposure", "public"];
  expect(await run(...create)).toMatchObject({ code: 0 });
  const { code, out } = await run("service", "logs", "shop", "--tail", "1");
  expect(code).toBe(0);
  const pods = out.split("\n").flatMap((line) => /^(shop-\S+) {2}\S/.exec(line)?.[1] ?? []);
  expect(new Set(pods).size).toBe(2);
  expect(pods).toHaveLength(2);
  expect(await run("service", "open", "shop")).toMatchObject({
    code: 0,
    out: "https://shop.apps.example.internal\n",
    err: expect.stringContaining("simulated"),
  });
  expect((await run("service", "open", "shop", "--repository")).out).toMatch(
    /^file:.*\/platform\/shop\.git\n$/,
  );
  for (const word of ["logs", "open"]) {
    expect(await run("service", word, "shpo")).toMatchObject({
      code: 2,
      err: expect.stringContaining("shop?"),
    });
  }
});

test("a log that is followed goes on until it is stopped", async () => {
  const { run, start } = await commandsOnSandbox();
  expect(await run("service", "create", "shop", "--language", "go")).toMatchObject({ code: 0 });
  const following = start("service", "logs", "shop", "--follow", "--tail", "1");
  await following.printed("shop-");
  following.terminal.stop("SIGINT");
  expect(await following.ended).toMatchObject({ code: 0 });
});
