import {
  access,
  constants,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type BareRepository, hasCode, kindOf, layOut, type Tree } from "./bare-repository.ts";
import type { CodeHost } from "./code-host.ts";
import { DeliveryError } from "./delivery-error.ts";
import { type GitOptions, git } from "./git.ts";
import { commitFiles, commitsOf, countForeignCommits } from "./git-commit.ts";
import { type HostOptions, pathBelow, repositoryUrl } from "./host.ts";
import { addPushHook } from "./push-hook.ts";

/** Times a commit is tried again on a branch that somebody else moved. */
const attempts = 4;

/** Bare repositories in a folder of this machine: the sandbox's, or `delivery.host: file:///…`. */
export function localHost(prefix: string, root: string, host: HostOptions): CodeHost {
  const options: GitOptions = { binary: host.binary, environment: host.environment, access: "local" };
  const folderOf = (url: string): string => join(root, pathBelow(prefix, url));
  const trees = new Map<string, Tree>();
  const open = (url: string, signal?: AbortSignal): BareRepository => ({
    folder: folderOf(url),
    options,
    signal,
    trees,
  });

  return {
    urlOf: (team, service) => repositoryUrl(prefix, team, service),

    async check(signal) {
      try {
        await git(options, ["--version"], { signal });
        const existing = await nearestExisting(root);
        await access(existing, constants.W_OK | constants.X_OK);
        return { ok: true };
      } catch (error) {
        const problem = ioFailure(error, root);
        return { ok: false, problem: problem.message, mend: problem.mend };
      }
    },

    async exists(url, signal) {
      const repository = open(url, signal);
      return (await guarded(root, () => kindOf(repository))) === "repository";
    },

    async list(signal) {
      return guarded(root, async () => {
        const teams = await foldersIn(root);
        const found = await Promise.all(
          teams.map(async (team) => {
            const names = (await foldersIn(join(root, team))).filter((name) => /^[a-z].*\.git$/.test(name));
            return Promise.all(
              names.map(async (name) => {
                signal?.throwIfAborted();
                const url = `${prefix}/${team}/${name}`;
                const run = await maker(open(url, signal));
                return run === undefined ? [] : [{ url, run }];
              }),
            );
          }),
        );
        return found.flat(2);
      });
    },

    async create(url, run, signal) {
      const repository = open(url, signal);
      return guarded(root, async () => {
        if ((await kindOf(repository)) === "repository")
          return { created: (await platformMade(repository, url)) === run };
        const team = dirname(repository.folder);
        await mkdir(team, { recursive: true, mode: 0o700 });
        // Made aside and renamed into place: nobody ever sees half a repository, and of two makers one wins.
        const { making: aside } = asideOf(repository.folder, run);
        await rm(aside, { recursive: true, force: true });
        await mkdir(aside, { mode: 0o700 });
        try {
          await layOut(aside);
          if (host.onPush !== undefined) await addPushHook(aside, host.onPush);
          await writeFile(descriptionOf(aside), `made by ${run} of the platform\n`);
          await rename(aside, repository.folder);
          return { created: true };
        } catch (error) {
          if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw error;
          return { created: (await platformMade(repository, url)) === run };
        } finally {
          await rm(aside, { recursive: true, force: true });
        }
      });
    },

    async commit(url, change, signal) {
      const repository = open(url, signal);
      return guarded(root, async () => {
        await demand(repository, url);
        for (let attempt = 1; ; attempt++) {
          try {
            return await commitFiles(repository, change, host.now());
          } catch (error) {
            const moved = error instanceof DeliveryError && error.class === "transient";
            if (!moved || attempt === attempts) throw error;
          }
        }
      });
    },

    async log(url, branch, limit, signal) {
      const repository = open(url, signal);
      return guarded(root, async () => {
        await demand(repository, url);
        return commitsOf(repository, branch, limit);
      });
    },

    async foreignCommits(url, signal) {
      const repository = open(url, signal);
      return guarded(root, async () => {
        await demand(repository, url);
        return countForeignCommits(repository);
      });
    },

    async remove(url, run, signal) {
      const repository = open(url, signal);
      return guarded(root, async () => {
        const { making, removing, removed } = asideOf(repository.folder, run);
        // What a process left that was killed at it.
        for (const rest of [making, removed]) await rm(rest, { recursive: true, force: true });
        if ((await kindOf(repository)) !== "nothing") {
          if ((await kindOf(repository)) !== "repository" || (await maker(repository)) !== run) return false;
          if ((await countForeignCommits(repository)) > 0) return false;
          // Out of everybody's reach first, then counted again: a push that came in between is not lost.
          await rename(repository.folder, removing);
        }
        if ((await kindOf({ ...repository, folder: removing })) === "repository") {
          if ((await countForeignCommits({ ...repository, folder: removing })) > 0) {
            await rename(removing, repository.folder);
            return false;
          }
          await rename(removing, removed);
          await rm(removed, { recursive: true, force: true });
        }
        await removeIfEmpty(dirname(repository.folder));
        return true;
      });
    },
  };
}

/**
 * Where one run has a repository that is not whole: while it is made, while it is looked at for the last time before
 * it is deleted, and while it is deleted. Beside its place, so that a rename is enough, and found again by that run.
 */
function asideOf(folder: string, run: string) {
  const at = (what: string) => join(dirname(folder), `.${what}-${run}-${basename(folder)}`);
  return { making: at("making"), removing: at("removing"), removed: at("removed") };
}

/** @throws DeliveryError where there is no repository. */
async function demand(repository: BareRepository, url: string): Promise<void> {
  const kind = await kindOf(repository);
  if (kind === "repository") return;
  throw kind === "nothing"
    ? new DeliveryError("refused", `there is no repository ${url}`, "a retry makes it again")
    : new DeliveryError(
        "conflict",
        `${repository.folder} is in the way and is no Git repository`,
        "move it elsewhere, then retry",
      );
}

/** @throws DeliveryError `conflict` for a repository that the platform did not make: nothing is pushed to it. */
async function platformMade(repository: BareRepository, url: string): Promise<string> {
  const run = await maker(repository);
  if (run !== undefined) return run;
  throw new DeliveryError(
    "conflict",
    `the repository ${url} exists and was not made by the platform; it was left as it is`,
    "choose another name for the service, or move the repository elsewhere, then retry",
  );
}

/** The run that made the repository, from its description; undefined where the platform did not make it. */
async function maker({ folder }: BareRepository): Promise<string | undefined> {
  try {
    return /^made by (\S+) of the platform$/.exec(
      (await readFile(descriptionOf(folder), "utf8")).trim(),
    )?.[1];
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function descriptionOf(folder: string): string {
  return join(folder, "description");
}

/** Names of the folders in a folder, which need not exist; hidden ones are work in progress. */
async function foldersIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && /^[a-z]([-a-z0-9]*[a-z0-9])?(\.git)?$/.test(entry.name))
      .map(({ name }) => name);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    const parent = dirname(path);
    if (!hasCode(error, "ENOENT") || parent === path) throw error;
    return nearestExisting(parent);
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: unknown) => {
    if (!hasCode(error, "ENOTEMPTY", "EEXIST", "ENOENT")) throw error;
  });
}

async function guarded<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw ioFailure(error, root);
  }
}

/** A failed file operation as a DeliveryError; anything that is one already, or an abort, passes unchanged. */
function ioFailure(error: unknown, root: string): Error & { readonly mend: string } {
  if (error instanceof DeliveryError) return error;
  if (hasCode(error, "ENOSPC", "EDQUOT")) {
    return new DeliveryError(
      "refused",
      `no space left on the disk of ${root}`,
      "free some, then retry",
      error,
    );
  }
  if (hasCode(error, "EACCES", "EPERM", "EROFS")) {
    const mend = "give this user write access to that folder, or change delivery.host in the standards";
    return new DeliveryError("rights", `the folder ${root} cannot be written to`, mend, error);
  }
  if (hasCode(error, "ENOTDIR", "EEXIST", "ENOTEMPTY")) {
    const mend = "move it elsewhere, or change delivery.host in the standards";
    return new DeliveryError("conflict", `something that is no folder is in the way of ${root}`, mend, error);
  }
  if (error instanceof Error) return Object.assign(error, { mend: "" });
  return new DeliveryError("internal", String(error), "");
}
