import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { CodeHost } from "../../../src/delivery/code-host.ts";
import { gitHost } from "../../../src/delivery/git-host.ts";

const run = promisify(execFile);

let folder: string;
let host: CodeHost;
let url: string;
let bare: string;

/** Stands in for SSH and the machine behind it: runs what Git asks the other side to run, here. */
const ssh = '#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c "$1"\n';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "remote-host-"));
  await writeFile(join(folder, "ssh"), ssh, { mode: 0o755 });
  await mkdir(join(folder, "clones"));
  host = open(join(folder, "ssh"));
  url = host.urlOf("payments", "ledger");
  bare = join(folder, "payments", "ledger.git");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (command: string): CodeHost =>
  gitHost({
    where: { host: `ssh://git@git.example.org${folder}` },
    now: () => new Date("2026-01-02T03:04:05Z"),
    environment: { PATH: process.env.PATH, HOME: folder, GIT_SSH_COMMAND: command },
    temporary: join(folder, "clones"),
  });

const makeRepository = () => run("git", ["init", "-q", "--bare", "--initial-branch=main", bare]);

const commit = (path: string, title: string) =>
  host.commit(url, {
    branch: "main",
    title,
    run: "ledger-create-1",
    files: [{ path, content: `${path}\n` }],
  });

it("pushes to an empty repository that exists, once for each change, and leaves no clone behind", async () => {
  await makeRepository();
  expect(await host.exists(url)).toBe(true);
  expect(await host.create(url, "ledger-create-1")).toEqual({ created: false });
  expect(await host.log(url, "main", 5)).toEqual([]);
  const first = await commit("a.txt", "Add the service");
  const second = await commit("b.txt", "Add the pipeline");
  expect(await commit("a.txt", "Add the service")).toEqual({ commit: second.commit, created: false });
  expect((await host.log(url, "main", 5)).map(({ hash }) => hash)).toEqual([second.commit, first.commit]);
  const { stdout } = await run("git", [`--git-dir=${bare}`, "ls-tree", "--name-only", "main"]);
  expect(stdout).toBe("a.txt\nb.txt\n");
  expect(await host.foreignCommits(url)).toBe(0);
  expect(await readdir(join(folder, "clones"))).toEqual([]);
});

it("loses nobody's commit when several push at the same moment", async () => {
  await makeRepository();
  await Promise.all([commit("1.txt", "One"), commit("2.txt", "Two")]);
  expect((await host.log(url, "main", 5)).map(({ title }) => title).sort()).toEqual(["One", "Two"]);
});

it("says what to do where there is no repository, and never deletes one", async () => {
  expect(await host.check()).toEqual({ ok: true });
  expect(await host.exists(url)).toBe(false);
  await expect(host.create(url, "r")).rejects.toMatchObject({
    class: "refused",
    mend: expect.stringContaining("make it there"),
  });
  await makeRepository();
  expect(await host.remove(url, "r")).toBe(false);
  expect(await host.exists(url)).toBe(true);
});

it("tells missing rights and a host that is not there from a missing repository", async () => {
  const says = (text: string) => open(`sh -c 'echo "${text}" >&2; exit 255'`);
  const denied = says("git@git.example.org: Permission denied (publickey).");
  expect(await denied.check()).toMatchObject({
    ok: false,
    problem: expect.stringContaining("Permission denied"),
  });
  await expect(denied.exists(url)).rejects.toMatchObject({ class: "rights" });
  const gone = says("ssh: connect to host git.example.org port 22: Connection refused");
  await expect(gone.exists(url)).rejects.toMatchObject({ class: "unreachable" });
});
