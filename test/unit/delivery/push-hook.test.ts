import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { gitHost } from "../../../src/delivery/git-host.ts";
import { pointHooksAt } from "../../../src/delivery/push-hook.ts";

const run = promisify(execFile);
const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "push-hook-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A program that tells what it was run with. */
async function teller(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(
    path,
    `console.log(JSON.stringify([${JSON.stringify(name)}, process.env.PLATFORM_STATE_DIR, process.argv.slice(2)]));\n`,
  );
  return path;
}

/** A host whose folders have every character that a shell would take for something else. */
async function withHook() {
  const folder = join(await temporaryFolder(), 'it\'s "a" $(touch gone) `b` ü');
  await mkdir(folder);
  const program = {
    node: process.execPath,
    entry: await teller(folder, "first.mjs"),
    state: `${folder}\\n;`,
  };
  const root = join(folder, "repositories");
  const host = gitHost({
    where: { root },
    now: () => new Date("2026-01-02T03:04:05Z"),
    environment: process.env,
    temporary: tmpdir(),
    onPush: program,
  });
  const url = host.urlOf("payments", "ledger");
  await host.create(url, "ledger-create-1");
  const content = {
    branch: "main",
    title: "Add",
    run: "ledger-create-1",
    files: [{ path: "a", content: "a" }],
  };
  await host.commit(url, content);
  const work = join(folder, "work");
  await run("git", ["clone", "-q", url, work]);
  const push = async () => {
    await run("git", ["-C", work, ...author, "commit", "-q", "--allow-empty", "-m", "$(reboot)"]);
    const { stderr } = await run("git", ["-C", work, "push", "origin", "HEAD:main"]);
    return stderr;
  };
  return { folder, root, program, push };
}

test("a push runs the program, with its own paths as they are", async () => {
  const { folder, root, program, push } = await withHook();
  const told = /remote: (\[.*\])/.exec(await push())?.[1] ?? "";
  expect(JSON.parse(told)).toEqual([
    "first.mjs",
    program.state,
    ["--sandbox", "sandbox", "pipeline", "--repository", join(root, "payments", "ledger.git")],
  ]);
  // A program that has moved is found again.
  await pointHooksAt(root, { ...program, entry: await teller(folder, "second.mjs") });
  expect(await push()).toContain("second.mjs");
});

test("a program that is gone does not keep a push from arriving, and says so", async () => {
  const { root, program, push } = await withHook();
  await pointHooksAt(root, { ...program, entry: join(root, "gone.mjs") });
  expect(await push()).toContain("no simulated pipeline: the platform is not where it was");
});

test("the hook is the same text in every repository; without a program there is none", async () => {
  const { root, folder, program } = await withHook();
  const options = { now: () => new Date(), environment: process.env, temporary: tmpdir() };
  const other = gitHost({ where: { root }, ...options, onPush: { ...program, state: "elsewhere" } });
  await other.create(other.urlOf("search", "index"), "index-create-1");
  const hookOf = (...path: readonly string[]) =>
    readFile(join(root, ...path, "hooks", "post-receive"), "utf8");
  expect(await hookOf("search", "index.git")).toBe(await hookOf("payments", "ledger.git"));
  const plain = gitHost({ where: { root: join(folder, "plain") }, ...options });
  await plain.create(plain.urlOf("search", "index"), "index-create-1");
  await expect(
    readFile(join(folder, "plain", "search", "index.git", "hooks", "post-receive")),
  ).rejects.toThrow("ENOENT");
});
