import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { testHome } from "./home.ts";
import { create, newestRun, sandbox } from "./in-sandbox.ts";
import { type Home, run, start } from "./terminal.ts";

/** A service in the sandbox, its clone, and a process that keeps the simulated cluster fast. */
async function clonedService() {
  const home = await testHome();
  expect(await run(home, create("shop", "--language", "go"))).toMatchObject({ code: 0 });
  const serving = start(home, [...sandbox, "sandbox", "serve"]);
  onTestFinished(async () => {
    serving.child.kill("SIGTERM");
    await serving.ended;
  });
  await serving.printed("export KUBECONFIG=");
  const url = pathToFileURL(join(home.folder, "state", "repositories", "platform", "shop.git")).href;
  await git(home, home.folder, "clone", "--quiet", url, "clone");
  return { home, clone: join(home.folder, "clone") };
}

/** What Git told the person, as one text. */
async function git(home: Home, cwd: string, ...args: readonly string[]): Promise<string> {
  const author = { GIT_AUTHOR_NAME: "Ada", GIT_AUTHOR_EMAIL: "ada@example.com" };
  const committer = { GIT_COMMITTER_NAME: "Ada", GIT_COMMITTER_EMAIL: "ada@example.com" };
  const env = { ...home.env, ...author, ...committer };
  const { stdout, stderr } = await promisify(execFile)("git", [...args], { cwd, env });
  return stdout + stderr;
}

async function push(home: Home, clone: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, text] of Object.entries(files)) await writeFile(join(clone, path), text);
  await git(home, clone, "add", "--all");
  await git(home, clone, "commit", "--quiet", "-m", "Add a $(reboot) `route`");
  return git(home, clone, "push", "origin", "HEAD:main");
}

async function releases(home: Home) {
  const { out } = await run(home, [...sandbox, "service", "releases", "shop", "-o", "json"]);
  return JSON.parse(out).items;
}

test("a push to the service's repository starts a simulated pipeline that deploys the commit", async () => {
  const { home, clone } = await clonedService();
  const told = await push(home, clone, { "note.txt": "hello\n" });
  expect(told).toMatch(/remote: simulated pipeline of shop for [0-9a-f]{10}, Add a \$\(reboot\) `route`/);
  for (const stage of ["build", "test", "scan"])
    expect(told).toMatch(new RegExp(`remote: +${stage} +passed`));
  expect(told).toContain("service shop deployed");
  const [, image] = /remote: +push +(\S+)/.exec(told) ?? [];
  expect(image).toMatch(/^registry\.example\.internal\/platform\/shop@sha256:[0-9a-f]{64}$/);
  const [current] = await releases(home);
  expect(current).toMatchObject({
    number: 2,
    operation: "deploy",
    commit: (await git(home, clone, "rev-parse", "HEAD")).trim(),
    by: "system:serviceaccount:app-shop:simulated-pipeline",
    spec: { image, starter: false },
  });
});

test("nothing is deployed of a commit whose test fails, nor of another branch", async () => {
  const { home, clone } = await clonedService();
  const told = await push(home, clone, { ".simulate": "test-fails\n" });
  expect(told).toMatch(/remote: +build +passed/);
  expect(told).toMatch(/remote: +test +failed, as \.simulate says; nothing is deployed/);
  expect(told).not.toContain("scan");
  expect(await git(home, clone, "push", "origin", "HEAD:feature")).toContain(
    "simulated pipeline: only commits on main are deployed",
  );
  expect(await newestRun(home)).toMatchObject({ name: expect.stringContaining("shop-create-") });
});

test("a commit whose image never gets healthy goes back by itself", async () => {
  const { home, clone } = await clonedService();
  const told = await push(home, clone, { ".simulate": "# its probe never passes\nunready\n" });
  expect(told).toMatch(/remote: +push +\S+\/shop:unready@sha256:/);
  expect(told).toContain("deploy shop rolled back");
  expect(await newestRun(home)).toMatchObject({ phase: "RolledBack" });
  const service = await run(home, [...sandbox, "service", "get", "shop", "-o", "json"]);
  expect(JSON.parse(service.out).items).toMatchObject([{ starter: true, verdict: "healthy" }]);
});
