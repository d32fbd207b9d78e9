import { expect, test } from "vitest";
import { testHome } from "./home.ts";
import { openScreen, run, type Screen } from "./terminal.ts";

const enter = "\r";
const back = "\x1b"; // esc
const up = "\x1b[A";
const preview = "\x10"; // ctrl-p

/** No line is wider than the terminal, which would wrap and push the screen up. */
function expectWhole(screen: Screen, rows: number): void {
  expect(screen.lines()).toHaveLength(rows);
  expect(screen.lines()[0]).toContain("platform · sandbox");
}

test.each([
  { columns: 80, rows: 24 },
  { columns: 200, rows: 50 },
])("the whole story at $columns x $rows: wizard, run, failure, roll back, dashboard, quit", async (size) => {
  const home = await testHome();
  const screen = openScreen(home, ["--sandbox", "--speed", "100"], size);
  await screen.shows("No services yet");
  expectWhole(screen, size.rows);

  // The wizard mends a wrong name and keeps what was typed when one goes back.
  screen.type("n");
  await screen.shows("new service");
  screen.type("My_Service");
  await screen.shows("my-service   tab takes it");
  screen.type("\t");
  await screen.shows("app-my-service");
  screen.type(enter);
  await screen.shows("2 of 8");
  screen.type("\x1b[Z"); // shift-tab
  await screen.shows("1 of 8");
  expect(screen.text()).toContain("my-service");
  screen.type(enter);
  await screen.shows("2 of 8");
  screen.type(enter);
  await screen.shows("3 of 8");
  screen.type("\x7f3");
  screen.type(enter);
  await screen.shows("4 of 8");
  screen.type(up);
  screen.type(enter);
  await screen.shows("5 of 8");
  screen.type(preview);
  await screen.shows("8 of 8");
  await screen.shows(/service create my-service --language go --replicas 3\s+--database postgres/);
  expectWhole(screen, size.rows);

  await screen.shows("enter creates my-service");

  // The run, live, to its end.
  screen.type(enter);
  await screen.shows("Namespace and guardrails");
  await screen.shows("my-service is up", { withinMs: 60_000 });
  expectWhole(screen, size.rows);
  screen.type(back);
  await screen.shows(/my-service.*3\/3 +postgres/);

  // Another run fails; what failed, why, what exists and what one can do.
  const fault = ["sandbox", "fault", "add", "--step", "apply_kubernetes", "--refuse", "the disk is full"];
  expect(await run(home, fault)).toMatchObject({ code: 0 });
  screen.type("n");
  await screen.shows("1 of 8");
  screen.type("ledger");
  await screen.shows("app-ledger");
  screen.type(enter);
  await screen.shows("2 of 8");
  screen.type(preview);
  await screen.shows("enter creates ledger");
  screen.type(enter);
  await screen.shows("held at Application", { withinMs: 60_000 });
  await screen.shows("the disk is full");
  for (const choice of ["r  Retry", "b  Roll back", "q  Leave"]) expect(screen.text()).toContain(choice);
  expect(screen.text()).toMatch(/run retry ledger-create-/);
  expectWhole(screen, size.rows);

  // One key rolls it back, after showing what goes.
  screen.type("b");
  await screen.shows("Deletes");
  await screen.shows("app-ledger");
  screen.type(enter);
  await screen.shows(/rolled back/i, { withinMs: 60_000 });
  screen.type(back);
  await screen.shows(/my-service.*3\/3/);
  await screen.hides("ledger");
  expectWhole(screen, size.rows);

  // What the app showed is what the cluster holds.
  const { out } = await run(home, ["--sandbox", "run", "list", "-o", "json"]);
  expect(JSON.parse(out).items).toMatchObject([
    { service: "ledger", phase: "RolledBack" },
    { service: "my-service", phase: "Succeeded" },
  ]);

  screen.type("q");
  expect(await screen.exit).toBe(0);
  const restored = screen.raw().slice(screen.raw().lastIndexOf("\x1b[?1049l"));
  expect(restored).toMatch(/^\x1b\[\?1049l/);
  expect(screen.raw().lastIndexOf("\x1b[?25h")).toBeGreaterThan(screen.raw().lastIndexOf("\x1b[?25l"));
});

test("thirty keys in one burst, a paste, and held backspaces lose and double nothing", async () => {
  const home = await testHome();
  const screen = openScreen(home, ["--sandbox", "--speed", "100"], { columns: 80, rows: 24 });
  await screen.shows("No services yet");
  screen.type("n");
  await screen.shows("1 of 8");
  screen.type("abcdefghijklmnopqrstuvwxyz0123");
  await screen.shows(/Name +abcdefghijklmnopqrstuvwxyz0123\b/);
  screen.type("\x7f".repeat(26));
  await screen.shows(/Name +abcd\s/);
  screen.type("\x1b[200~-pasted-name\x1b[201~");
  await screen.shows(/Name +abcd-pasted-name\b/);
  screen.type("\x03");
  screen.type("\x03");
  expect(await screen.exit).toBeTypeOf("number");
});
