import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { GitOptions } from "./git.ts";

/** A bare repository in a folder. */
export interface BareRepository {
  readonly folder: string;
  readonly options: GitOptions;
  readonly signal?: AbortSignal | undefined;
  /** Trees of first commits made here, by commit, until the next: what is in a commit never changes. */
  readonly trees?: Map<string, Tree>;
}

/** Mode, type and hash of each file, by path, as `git ls-tree` tells them. */
export type Tree = ReadonlyMap<string, string>;

/** What a folder is, by what every Git repository's folder holds: Git looks itself as soon as it works there. */
export async function kindOf({
  folder,
}: Pick<BareRepository, "folder">): Promise<"nothing" | "repository" | "something else"> {
  try {
    if (!(await stat(folder)).isDirectory()) return "something else";
    const parts = await Promise.all(["HEAD", "objects", "refs"].map((part) => isThere(join(folder, part))));
    return parts.every((there) => there) ? "repository" : "something else";
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "nothing";
    throw error;
  }
}

/**
 * Makes an empty folder an empty bare repository with the branch `main`: the files of `git init --bare --template=`,
 * which gitrepository-layout(5) names, without a process.
 */
export async function layOut(folder: string): Promise<void> {
  const folders = ["objects/info", "objects/pack", "refs/heads", "refs/tags"];
  await Promise.all([
    ...folders.map((name) => mkdir(join(folder, name), { recursive: true })),
    writeFile(join(folder, "HEAD"), "ref: refs/heads/main\n"),
    writeFile(
      join(folder, "config"),
      "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n",
    ),
  ]);
}

/** The commit a branch points at, as far as plain files tell; `ask` where only Git can say. */
export async function headFile(folder: string, branch: string): Promise<string | undefined | "ask"> {
  const [hash] = /^([0-9a-f]{40}|[0-9a-f]{64})(?=\n$)/.exec(await refFile(folder, branch)) ?? [];
  if (hash !== undefined) return hash;
  // Looked for after the file, which Git deletes once it has packed it.
  const others = [join("refs", "heads", branch), "packed-refs", "reftable"];
  const there = await Promise.all(others.map((name) => isThere(join(folder, name))));
  return there.includes(true) ? "ask" : undefined;
}

async function refFile(folder: string, branch: string): Promise<string> {
  try {
    return await readFile(join(folder, "refs", "heads", branch), "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "EISDIR", "ENOTDIR")) return "";
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

/** Whether a file operation failed for one of these reasons. */
export function hasCode(
  error: unknown,
  ...codes: readonly string[]
): error is Error & { readonly code: string } {
  return (
    error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code)
  );
}
