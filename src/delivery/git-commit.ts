import { createHash } from "node:crypto";
import { cleanText } from "../cluster/text.ts";
import { type BareRepository, headFile, type Tree } from "./bare-repository.ts";
import type { Commit, RepositoryFile } from "./code-host.ts";
import { DeliveryError } from "./delivery-error.ts";
import { git } from "./git.ts";

/** Author and committer of every commit the platform makes; a commit by anybody else makes a repository somebody's work. */
export const platformAuthor = { name: "platform", email: "platform@platform.company.com" } as const;

/** The trailer by which a commit names its run. */
const runTrailer = "Platform-Run";

/** What a commit writes. */
export interface Change {
  readonly branch: string;
  readonly title: string;
  readonly files: readonly RepositoryFile[];
  readonly run: string;
}

/** The commit a branch points at, or undefined where the branch does not exist. */
export async function headOf(repository: BareRepository, branch: string): Promise<string | undefined> {
  checkBranch(branch);
  const head = await headFile(repository.folder, branch);
  if (head !== "ask") return head;
  const { stdout, exitCode } = await inside(
    repository,
    ["rev-parse", "--verify", "--quiet", "--end-of-options", `refs/heads/${branch}`],
    { expect: [0, 1] },
  );
  return exitCode === 0 ? stdout.trim() : undefined;
}

/**
 * Commits the files on top of the branch's head, or leaves everything alone where the tree has these contents
 * already. The branch moves only forward and only from the head that was read.
 * @throws DeliveryError `transient` where somebody else moved it meanwhile.
 */
export async function commitFiles(
  repository: BareRepository,
  change: Change,
  at: Date,
): Promise<{ readonly commit: string; readonly created: boolean }> {
  const head = await headOf(repository, change.branch);
  if (head !== undefined && holds(await treeOf(repository, head), treeWith(change.files, head))) {
    return { commit: head, created: false };
  }
  const { stdout } = await inside(
    repository,
    // What it has packed stays a pack: to unpack a few files takes another process and three times as long.
    ["-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--done", "--date-format=raw"],
    { input: fastImport(change, head, at) },
  );
  const commit = stdout.trim();
  if (commit === undefined || commit === head) {
    throw new DeliveryError("internal", "git accepted the commit, but the branch did not move", "retry");
  }
  if (head === undefined) repository.trees?.set(commit, treeWith(change.files, commit));
  return { commit, created: true };
}

/** Commits of a branch, newest first; none where it does not exist. */
export async function commitsOf(
  repository: BareRepository,
  branch: string,
  limit: number,
): Promise<readonly Commit[]> {
  if ((await headOf(repository, branch)) === undefined) return [];
  const { stdout } = await inside(repository, [
    ...["log", "-z", `--max-count=${limit}`, `--format=${logFields.join("%x00")}`],
    ...["--end-of-options", `refs/heads/${branch}`],
  ]);
  const fields = stdout.split("\0").map((field) => cleanText(field).trim());
  const commits: Commit[] = [];
  for (let first = 0; first + logFields.length < fields.length; first += logFields.length) {
    const [hash = "", author = "", email = "", at = "", run = "", title = ""] = fields.slice(first);
    const ours = author === platformAuthor.name && email === platformAuthor.email;
    commits.push({ hash, author, at: rfc3339(at), title, run: ours ? run : "" });
  }
  return commits;
}

/** Hash, author, e-mail, seconds since 1970, run and title; NUL, which no commit can hold, ends each. */
const logFields = [
  ...["%H", "%an", "%ae", "%at"],
  `%(trailers:key=${runTrailer},valueonly=true,separator=%x20)`,
  "%s",
] as const;

/** RFC 3339 in UTC of Git's seconds since 1970. */
function rfc3339(seconds: string): string {
  return new Date(Number.parseInt(seconds, 10) * 1000).toISOString().replace(".000Z", "Z");
}

/** How many commits, on any ref, have another author or committer than the platform. */
export async function countForeignCommits(repository: BareRepository): Promise<number> {
  const by = `^${platformAuthor.name} <${platformAuthor.email.replaceAll(".", "\\.")}>`;
  const count = async (args: readonly string[]): Promise<number> => {
    const { stdout } = await inside(repository, ["rev-list", "--count", "--all", ...args]);
    return Number.parseInt(stdout.trim(), 10) || 0;
  };
  const [all, ours] = await Promise.all([
    count([]),
    count([`--author=${by}`, `--committer=${by}`, "--all-match"]),
  ]);
  return all - ours;
}

function inside(
  { folder, options, signal }: BareRepository,
  args: readonly string[],
  request: { readonly input?: string; readonly expect?: readonly number[] } = {},
) {
  return git(options, [`--git-dir=${folder}`, ...args], { ...request, signal });
}

/** All files of a commit. */
async function treeOf(repository: BareRepository, commit: string): Promise<Tree> {
  const known = repository.trees?.get(commit);
  if (known !== undefined) {
    repository.trees?.delete(commit);
    return known;
  }
  const { stdout } = await inside(repository, [
    "ls-tree",
    "-r",
    "-z",
    "--full-tree",
    "--end-of-options",
    commit,
  ]);
  return new Map(
    stdout.split("\0").map((entry) => {
      const tab = entry.indexOf("\t");
      return [entry.slice(tab + 1), entry.slice(0, tab)];
    }),
  );
}

/** The tree that these files make, hashed as the repository of this commit does. */
function treeWith(files: readonly RepositoryFile[], commit: string): Tree {
  const algorithm = commit.length === 64 ? "sha256" : "sha1";
  return new Map(
    files.map((file) => {
      const content = Buffer.from(file.content, "utf8");
      const hash = createHash(algorithm).update(`blob ${content.length}\0`).update(content).digest("hex");
      return [file.path, `${modeOf(file)} blob ${hash}`];
    }),
  );
}

/** Whether every file of `part` is in the tree as it is there. */
function holds(tree: Tree, part: Tree): boolean {
  return [...part].every(([path, entry]) => tree.get(path) === entry);
}

/** The stream `git fast-import` reads: one commit with all its files, made whole or not at all (`done`). */
function fastImport(change: Change, head: string | undefined, at: Date): string {
  const message = `${change.title}\n\n${runTrailer}: ${change.run}\n`;
  const who = `${platformAuthor.name} <${platformAuthor.email}> ${Math.floor(at.getTime() / 1000)} +0000`;
  const parts = [
    `commit refs/heads/${change.branch}\nmark :1\n`,
    `author ${who}\n`,
    `committer ${who}\n`,
    data(message),
  ];
  if (head !== undefined) parts.push(`from ${head}\n`);
  for (const file of change.files) {
    checkPath(file.path);
    parts.push(`M ${modeOf(file)} inline ${JSON.stringify(file.path)}\n`, data(file.content));
  }
  parts.push("\nget-mark :1\n", "done\n");
  return parts.join("");
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text, "utf8")}\n${text}\n`;
}

function modeOf({ executable }: RepositoryFile): string {
  return executable === true ? "100755" : "100644";
}

function checkBranch(branch: string): void {
  if (!/^[a-z0-9]([-a-z0-9/]*[a-z0-9])?$/i.test(branch) || branch.includes("//")) {
    throw new DeliveryError(
      "invalid",
      `${JSON.stringify(branch)} is not a branch name`,
      "this is a defect: report it",
    );
  }
}

/** Paths come from templates and object names, and still none may leave the tree or reach into Git's own folder. */
function checkPath(path: string): void {
  const parts = path.split("/");
  const wrong = parts.some((part) => part === "" || part === "." || part === ".." || /^\.git$/i.test(part));
  if (wrong || !/^[-\w./@+]+$/.test(path)) {
    throw new DeliveryError(
      "invalid",
      `${JSON.stringify(path)} cannot be a path in a repository`,
      "this is a defect: report it",
    );
  }
}
