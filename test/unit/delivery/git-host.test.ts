import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CodeHost } from "../../../src/delivery/code-host.ts";
import { DeliveryError } from "../../../src/delivery/delivery-error.ts";
import { type GitHostOptions, gitHost } from "../../../src/delivery/git-host.ts";

const run = promisify(execFile);

let folder: string;
let host: CodeHost;
let url: string;

const open = (root: string, more: Partial<GitHostOptions> = {}): CodeHost =>
  gitHost({
    where: { root },
    now: () => new Date("2026-01-02T03:04:05Z"),
    environment: process.env,
    temporary: tmpdir(),
    ...more,
  });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "git-host-"));
  host = open(join(folder, "repositories"));
  url = host.urlOf("payments", "ledger");
});

afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true, force: true });
});

const commit = (target: CodeHost, files: Record<string, string>, title = "Add the service") =>
  target.commit(url, {
    branch: "main",
    title,
    run: "ledger-create-1",
    files: Object.entries(files).map(([path, content]) => ({ path, content })),
  });

/** A developer's push: a commit by somebody else. */
async function developerPushes(): Promise<void> {
  const work = join(folder, `work-${Math.random()}`);
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" };
  await run("git", ["clone", "-q", url, work], { env });
  await writeFile(join(work, "mine.txt"), "mine\n");
  await run("git", ["-C", work, "add", "."], { env });
  await run(
    "git",
    ["-C", work, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-qm", "My work"],
    { env },
  );
  await run("git", ["-C", work, "push", "-q", "origin", "HEAD:main"], { env });
}

describe("a code host in a folder", () => {
  it("lists the repositories that runs have made, and nobody else's", async () => {
    expect(await host.list?.()).toEqual([]);
    await host.create(url, "ledger-create-1");
    await run("git", ["init", "-q", "--bare", join(folder, "repositories", "payments", "theirs.git")]);
    await mkdir(join(folder, "repositories", "payments", ".removing-x"));
    await writeFile(join(folder, "repositories", "notes"), "");
    expect(await host.list?.()).toEqual([{ url, run: "ledger-create-1" }]);
  });

  it("gives a repository that a plain git clone can work with", async () => {
    expect(await host.exists(url)).toBe(false);
    expect(await host.create(url, "ledger-create-1")).toEqual({ created: true });
    const first = await host.commit(url, {
      branch: "main",
      title: "Add the service",
      run: "ledger-create-1",
      files: [
        { path: "README.md", content: "# ledger\nÄ\n" },
        { path: "scripts/run", content: "#!/bin/sh\n", executable: true },
      ],
    });
    expect(first.created).toBe(true);
    const clone = join(folder, "clone");
    await run("git", ["clone", "-q", url, clone]);
    const { stdout } = await run("git", ["-C", clone, "log", "--format=%an %s%n%(trailers)"]);
    expect(stdout).toContain("platform Add the service");
    expect(stdout).toContain("Platform-Run: ledger-create-1");
    const { stdout: tree } = await run("git", ["-C", clone, "ls-tree", "-r", "HEAD"]);
    expect(tree).toMatch(/100755 blob .*scripts\/run/);
    await run("git", ["-C", clone, "fsck", "--strict"]);
    expect(await host.log(url, "main", 10)).toEqual([
      {
        hash: first.commit,
        author: "platform",
        at: "2026-01-02T03:04:05Z",
        title: "Add the service",
        run: "ledger-create-1",
      },
    ]);
  });

  it("adds no second commit for a repeated step, and keeps what later commits added", async () => {
    await host.create(url, "ledger-create-1");
    const first = await commit(host, { "a.txt": "a\n" });
    const second = await commit(host, { "b/c.txt": "c\n" }, "Add the pipeline");
    expect(await commit(host, { "a.txt": "a\n" })).toEqual({ commit: second.commit, created: false });
    expect(second.commit).not.toBe(first.commit);
    expect((await host.log(url, "main", 10)).map(({ title }) => title)).toEqual([
      "Add the pipeline",
      "Add the service",
    ]);
  });

  it("goes on with a repository whose refs Git has packed", async () => {
    await host.create(url, "ledger-create-1");
    expect(await host.log(url, "main", 10)).toEqual([]);
    const first = await commit(host, { "a.txt": "a\n" });
    await run("git", ["-C", fileURLToPath(url), "gc", "--quiet"]);
    expect(await commit(host, { "a.txt": "a\n" })).toEqual({ commit: first.commit, created: false });
    await commit(host, { "b.txt": "b\n" }, "Add the pipeline");
    expect((await host.log(url, "main", 10)).map(({ title }) => title)).toEqual([
      "Add the pipeline",
      "Add the service",
    ]);
  });

  it("loses nothing when several write at the same moment", async () => {
    await host.create(url, "ledger-create-1");
    await Promise.all([1, 2, 3].map((n) => commit(host, { [`${n}.txt`]: `${n}\n` }, `Commit ${n}`)));
    expect((await host.log(url, "main", 10)).map(({ title }) => title).sort()).toEqual([
      "Commit 1",
      "Commit 2",
      "Commit 3",
    ]);
  });

  it("knows a repository of its own run again, and leaves one of another run alone", async () => {
    await host.create(url, "ledger-create-1");
    expect(await host.create(url, "ledger-create-1")).toEqual({ created: true });
    expect(await host.create(url, "ledger-create-2")).toEqual({ created: false });
    expect(await host.remove(url, "ledger-create-2")).toBe(false);
    expect(await host.exists(url)).toBe(true);
  });

  it("does not touch a repository that somebody else made", async () => {
    await mkdir(join(folder, "repositories", "payments"), { recursive: true });
    await run("git", ["init", "-q", "--bare", join(folder, "repositories", "payments", "ledger.git")]);
    await expect(host.create(url, "r")).rejects.toMatchObject({ class: "conflict" });
    expect(await host.remove(url, "r")).toBe(false);
  });

  it("makes one repository when two make it at once, and leaves no remains", async () => {
    const made = await Promise.all([host.create(url, "one"), host.create(url, "two")]);
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(await readdir(join(folder, "repositories", "payments"))).toEqual(["ledger.git"]);
  });

  it("removes what the run made and nobody used, whole", async () => {
    await host.create(url, "ledger-create-1");
    await commit(host, { "a.txt": "a\n" });
    expect(await host.remove(url, "ledger-create-1")).toBe(true);
    expect(await readdir(join(folder, "repositories"))).toEqual([]);
    expect(await host.remove(url, "ledger-create-1")).toBe(true);
  });

  it("finishes what a process left that was killed at making or removing it", async () => {
    const team = join(folder, "repositories", "payments");
    await mkdir(join(team, ".making-ledger-create-1-ledger.git"), { recursive: true });
    await host.create(url, "ledger-create-1");
    expect(await readdir(team)).toEqual(["ledger.git"]);
    await commit(host, { "a.txt": "a\n" });
    await rename(join(team, "ledger.git"), join(team, ".removing-ledger-create-1-ledger.git"));
    await mkdir(join(team, ".removed-ledger-create-1-ledger.git"));
    expect(await host.remove(url, "ledger-create-1")).toBe(true);
    expect(await readdir(join(folder, "repositories"))).toEqual([]);
  });

  it("brings back somebody's work that was pushed just before a removal that was killed", async () => {
    const team = join(folder, "repositories", "payments");
    await host.create(url, "ledger-create-1");
    await commit(host, { "a.txt": "a\n" });
    await developerPushes();
    await rename(join(team, "ledger.git"), join(team, ".removing-ledger-create-1-ledger.git"));
    expect(await host.remove(url, "ledger-create-1")).toBe(false);
    expect((await host.log(url, "main", 1))[0]).toMatchObject({ title: "My work" });
  });

  it("keeps a repository that holds somebody's work", async () => {
    await host.create(url, "ledger-create-1");
    await commit(host, { "a.txt": "a\n" });
    expect(await host.foreignCommits(url)).toBe(0);
    await developerPushes();
    expect(await host.foreignCommits(url)).toBe(1);
    expect(await host.remove(url, "ledger-create-1")).toBe(false);
    expect((await host.log(url, "main", 1))[0]).toMatchObject({ title: "My work", author: "Ada", run: "" });
  });

  it("is under no influence of the user's Git configuration and hooks", async () => {
    const home = join(folder, "home");
    await mkdir(join(home, "hooks"), { recursive: true });
    await writeFile(join(home, "hooks", "reference-transaction"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    await writeFile(join(home, ".gitconfig"), `[core]\nhooksPath = ${home}/hooks\n[user]\nname = Eve\n`);
    const environment = { ...process.env, HOME: home, GIT_DIR: "/nowhere", GIT_AUTHOR_NAME: "Eve" };
    const other = open(join(folder, "repositories"), { environment });
    await other.create(url, "r");
    await commit(other, { "a.txt": "a\n" });
    expect((await other.log(url, "main", 1))[0]?.author).toBe("platform");
  });

  it("refuses paths and URLs that lead elsewhere", async () => {
    await host.create(url, "r");
    for (const path of ["../x", "/etc/x", ".git/hooks/post-update", "a//b", 'a"\nb']) {
      await expect(commit(host, { [path]: "x" })).rejects.toMatchObject({ class: "invalid" });
    }
    await expect(host.exists("file:///etc/a/b.git")).rejects.toMatchObject({ class: "invalid" });
    expect(() => host.urlOf("..", "x")).toThrow(DeliveryError);
  });

  it("says so when git is missing, and when the folder cannot be written to", async () => {
    const without = open(join(folder, "repositories"), { binary: join(folder, "no-git") });
    expect(await without.check()).toMatchObject({
      ok: false,
      problem: expect.stringContaining("git was not found"),
    });
    await writeFile(join(folder, "file"), "");
    const blocked = open(join(folder, "file", "below"));
    expect(await blocked.check()).toMatchObject({ ok: false });
    expect(await host.check()).toEqual({ ok: true });
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("calls a folder in the way a conflict", async () => {
    await mkdir(join(folder, "repositories", "payments", "ledger.git", "x"), { recursive: true });
    expect(await host.exists(url)).toBe(false);
    await expect(commit(host, { "a.txt": "a" })).rejects.toMatchObject({ class: "conflict" });
    expect(await host.remove(url, "r")).toBe(false);
  });
});

describe("the host of the standards", () => {
  it.each([
    ["ftp://example.org", "none of"],
    ["https://user:secret@example.org/x", "credential"],
    ["not a url", "not a URL"],
  ])("refuses %s", (where, words) => {
    const make = () => open("", { where: { host: where } });
    expect(make).toThrow(words);
    expect(make).not.toThrow("secret");
  });

  it("names a repository by team and service", () => {
    const remote = open("", { where: { host: "ssh://git@git.example.org/services/" } });
    expect(remote.urlOf("payments", "ledger")).toBe("ssh://git@git.example.org/services/payments/ledger.git");
  });

  it("says that an https host does not answer", async () => {
    const environment = { PATH: process.env.PATH, HOME: folder };
    const remote = open("", { where: { host: "https://127.0.0.1:1/x" }, environment });
    expect(await remote.check()).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/connect|refused/i),
    });
  });
});
