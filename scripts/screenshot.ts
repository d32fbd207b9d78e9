/**
 * Takes the pictures of the README from the running program: fills a sandbox of its own by commands, opens the app
 * in a pseudo terminal and draws what the terminal shows.
 *
 *     npm run screenshot
 */
import { writeFile } from "node:fs/promises";
import build from "../test/terminal/build.ts";
import { freshHome, type Home, openScreen, run } from "../test/terminal/terminal.ts";
import { terminalToSvg } from "./picture.ts";

const sandbox = ["--sandbox", "--speed", "100"];

async function command(home: Home, expected: number, ...argv: string[]): Promise<void> {
  const { code, err } = await run(home, [...sandbox, ...argv]);
  if (code !== expected) throw new Error(`platform ${argv.join(" ")} ended with ${code}:\n${err}`);
}

/** Services as an organisation has them: most are well, one rolls out a bad image, one run is held. */
async function fill(home: Home): Promise<void> {
  const create = (...words: string[]) => command(home, 0, "service", "create", ...words);
  await create("api-gateway", "-l", "go", "-r", "3", "--database", "postgres", "--cache", "redis");
  await create(
    "billing",
    "-l",
    "typescript",
    "--database",
    "postgres",
    "--image",
    "ghcr.io/acme/billing:2.4.1",
  );
  await create("search", "-l", "go", "--cache", "redis", "--image", "ghcr.io/acme/search:1.9.0");
  await create("notify", "-l", "typescript", "--exposure", "none");
  const fault = ["sandbox", "fault", "add", "--resource", "deployments.apps", "--status", "422"];
  await command(home, 0, ...fault, "--refuse", "quota is used up");
  await command(home, 3, "service", "create", "ledger", "-l", "go", "--on-failure", "hold");
  await command(home, 0, "sandbox", "fault", "clear");
}

await build();
const home = await freshHome();
try {
  await fill(home);
  const screen = openScreen(home, sandbox, { columns: 100, rows: 24 });
  await screen.shows(/api-gateway.*3\/3.*● proven.*created/);
  await screen.shows(/ledger.*create held/);
  await writeFile("docs/screenshot.svg", terminalToSvg(screen.emulator, "dark"));
  screen.type("q");
  await screen.exit;
} finally {
  await home.remove();
}
