import { expect, test } from "vitest";
import { testHome } from "./home.ts";
import { create, sandbox } from "./in-sandbox.ts";
import { openScreen, run } from "./terminal.ts";

const enter = "\r";
const back = "\x1b"; // esc
const digest = (digit: string) => `registry.example.internal/platform/shop@sha256:${digit.repeat(64)}`;

test("a service is scaled, deployed, taken back and deleted", async () => {
  const home = await testHome();
  expect(await run(home, create("shop", "--language", "go", "--database", "postgres"))).toMatchObject({
    code: 0,
  });
  const screen = openScreen(home, ["--sandbox", "--speed", "100"], { columns: 80, rows: 24 });
  await screen.shows(/shop.*2\/2/);

  // A form, then what differs and what is written, then the run.
  screen.type("+");
  await screen.shows(/Replicas +3/);
  screen.type(enter);
  await screen.shows("2 → 3");
  await screen.shows("deployment/shop");
  await screen.shows("service scale shop --replicas 3");
  screen.type(enter);
  await screen.shows("shop is scaled", { withinMs: 60_000 });
  screen.type(back);
  await screen.shows(/shop.*3\/3/);

  screen.type("i");
  await screen.shows("By its digest");
  screen.type(`${digest("a")}${enter}`);
  await screen.shows("enter deploys shop");
  screen.type(enter);
  await screen.shows("shop is deployed", { withinMs: 60_000 });
  screen.type(enter);
  await screen.shows("1 overview");

  // One key back to the first release.
  screen.type("4");
  await screen.shows("2 current");
  screen.type("j");
  await screen.shows("From 2, which runs, to 1");
  screen.type("b");
  await screen.shows("shop is taken back", { withinMs: 60_000 });
  const { out } = await run(home, [...sandbox, "service", "get", "shop", "-o", "json"]);
  expect(out).not.toContain("a".repeat(64));
  expect(out).toContain("starter");

  // What is destroyed is named, and begins only once the service is.
  screen.type("H");
  await screen.shows("1 service");
  screen.type("\x04");
  await screen.shows("Type shop to delete it");
  screen.type("\t");
  await screen.shows("shop-db is protected");
  screen.type(enter);
  await screen.shows("type shop first");
  screen.type(`shop${enter}`);
  await screen.shows("shop is deleted", { withinMs: 60_000 });
  screen.type(back);
  await screen.shows("No services yet");
  screen.type("q");
  expect(await screen.exit).toBe(0);
});
