import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSandbox } from "../../../src/sandbox/open.ts";
import type { Sandbox } from "../../../src/sandbox/sandbox.ts";
import { ask, eventually } from "./client.ts";

let folder: string;
const children: ChildProcess[] = [];
const open: Sandbox[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "platform-store-"));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const sandbox of open.splice(0)) await sandbox.close();
  await rm(folder, { recursive: true, force: true });
});

/** Another process on the same store; `lines` grows with what it prints. */
function start(...argv: readonly string[]): { readonly child: ChildProcess; readonly lines: string[] } {
  const program = join(import.meta.dirname, "process.ts");
  const child = spawn(process.execPath, [program, folder, ...argv], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const lines: string[] = [];
  if (child.stdout !== null) createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  return { child, lines };
}

async function opened(): Promise<Sandbox> {
  const sandbox = await openSandbox({ folder, speed: 100 });
  open.push(sandbox);
  return sandbox;
}

const configMaps = "/api/v1/namespaces/default/configmaps";
const names = (list: { items: { metadata: { name: string } }[] }) =>
  list.items.map(({ metadata }) => metadata.name);

test("after SIGKILL every acknowledged write is there", async () => {
  const { child, lines } = start("kept");
  await eventually(() => expect(lines.length).toBeGreaterThan(40), 30_000);
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  const acknowledged = lines.filter((line) => line.startsWith("kept-"));
  const sandbox = await opened();
  const { body } = await ask(sandbox, "GET", configMaps);
  expect(names(body)).toEqual(expect.arrayContaining(acknowledged));
  expect(lines.filter((line) => line.startsWith("refused"))).toEqual([]);
});

test("processes that share a store see each other's writes, at different versions, and one takes over the controllers of a killed one", async () => {
  const first = start("first");
  await eventually(() => expect(first.lines).toContain("open"), 30_000);
  const sandbox = await opened();
  const second = start("second");
  await eventually(() => {
    expect(first.lines.length).toBeGreaterThan(20);
    expect(second.lines.length).toBeGreaterThan(20);
  }, 30_000);
  first.child.kill("SIGKILL");
  second.child.kill("SIGKILL");
  const { body } = await ask(sandbox, "GET", configMaps);
  const found = names(body);
  for (const line of [...first.lines, ...second.lines].filter((text) => /^(first|second)-/.test(text))) {
    expect(found).toContain(line);
  }
  const versions = body.items.map(
    (item: { metadata: { resourceVersion: string } }) => item.metadata.resourceVersion,
  );
  expect(new Set(versions).size).toBe(versions.length);
  // The killed process led the controllers: a namespace can only end if somebody else does by now.
  await ask(sandbox, "POST", "/api/v1/namespaces", { metadata: { name: "ending" } });
  await ask(sandbox, "DELETE", "/api/v1/namespaces/ending");
  await eventually(async () =>
    expect((await ask(sandbox, "GET", "/api/v1/namespaces/ending")).status).toBe(404),
  );
});

test("the store and its token are for this user only, and sockets of killed processes are cleared away", async () => {
  const { child, lines } = start();
  await eventually(() => expect(lines).toContain("open"), 30_000);
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  const sandbox = await opened();
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, "token"))).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, "cluster.sqlite"))).mode & 0o777).toBe(0o600);
  const sockets = (await readdir(folder)).filter((file) => file.endsWith(".sock"));
  expect(sockets).toHaveLength(1);
  expect((await ask({ ...sandbox, token: "guessed" }, "GET", configMaps)).status).toBe(401);
});

test("a folder with a long path works too", async () => {
  folder = join(folder, "a".repeat(60), "b".repeat(60));
  const sandbox = await opened();
  expect((await ask(sandbox, "GET", "/version")).body.gitVersion).toContain("sandbox");
});
