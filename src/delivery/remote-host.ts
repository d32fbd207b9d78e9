import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type BareRepository, layOut } from "./bare-repository.ts";
import type { CodeHost } from "./code-host.ts";
import { DeliveryError } from "./delivery-error.ts";
import { failure, type GitOptions, git, saysMissing } from "./git.ts";
import { commitFiles, commitsOf, countForeignCommits } from "./git-commit.ts";
import { type HostOptions, pathBelow, repositoryUrl } from "./host.ts";

/** Times a push is tried again on a branch that somebody else moved. */
const attempts = 4;

/**
 * Repositories on a server, over SSH or HTTPS, with the credentials Git has on this machine. Git itself can neither
 * make nor delete a repository there: an empty one must exist, and a rollback keeps it.
 */
export function remoteHost(prefix: string, host: HostOptions): CodeHost {
  const remote: GitOptions = { binary: host.binary, environment: host.environment, access: "remote" };
  const local: GitOptions = { ...remote, access: "local" };

  /** Works on a short-lived bare clone of what `refspecs` name; `depth` limits its history. */
  async function onClone<T>(
    url: string,
    refspecs: readonly string[],
    depth: number | undefined,
    signal: AbortSignal | undefined,
    work: (clone: BareRepository) => Promise<T>,
  ): Promise<T> {
    pathBelow(prefix, url);
    const folder = await mkdtemp(join(host.temporary, "platform-git-"));
    try {
      await layOut(folder);
      const { exitCode, problem } = await git(
        remote,
        [
          ...[`--git-dir=${folder}`, "fetch", "--quiet", "--no-tags"],
          ...(depth === undefined ? [] : [`--depth=${depth}`]),
          ...["--end-of-options", url, ...refspecs],
        ],
        { signal, expect: "any" },
      );
      const nothingThere = /couldn't find remote ref|could not find remote ref/i.test(problem);
      if (exitCode !== 0 && !nothingThere) throw failure(problem, ["fetch"]);
      return await work({ folder, options: local, signal });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async function exists(url: string, signal?: AbortSignal): Promise<boolean> {
    pathBelow(prefix, url);
    const { exitCode, problem } = await git(remote, ["ls-remote", "--heads", "--end-of-options", url], {
      signal,
      expect: "any",
    });
    if (exitCode === 0) return true;
    if (saysMissing(problem)) return false;
    throw failure(problem, ["ls-remote"]);
  }

  return {
    urlOf: (team, service) => repositoryUrl(prefix, team, service),

    async check(signal) {
      try {
        // Asks for a repository that need not exist: "not found" comes from a host that knows us.
        await exists(repositoryUrl(prefix, "platform", "check"), signal);
        return { ok: true };
      } catch (error) {
        if (!(error instanceof DeliveryError)) throw error;
        return { ok: false, problem: error.message, mend: error.mend };
      }
    },

    exists,

    async create(url, _run, signal) {
      if (await exists(url, signal)) return { created: false };
      throw new DeliveryError(
        "refused",
        `there is no repository ${url}, and Git alone cannot make one on that host`,
        "make it there, empty, and let Git on this machine push to it; then retry",
      );
    },

    async commit(url, change, signal) {
      for (let attempt = 1; ; attempt++) {
        try {
          const ref = `refs/heads/${change.branch}`;
          return await onClone(url, [`${ref}:${ref}`], 1, signal, async (clone) => {
            const made = await commitFiles(clone, change, host.now());
            if (!made.created) return made;
            await git(
              remote,
              [`--git-dir=${clone.folder}`, "push", "--quiet", "--end-of-options", url, `${ref}:${ref}`],
              { signal },
            );
            return made;
          });
        } catch (error) {
          const moved = error instanceof DeliveryError && error.class === "transient";
          if (!moved || attempt === attempts) throw error;
        }
      }
    },

    log(url, branch, limit, signal) {
      const ref = `refs/heads/${branch}`;
      return onClone(url, [`${ref}:${ref}`], limit, signal, (clone) => commitsOf(clone, branch, limit));
    },

    foreignCommits(url, signal) {
      return onClone(
        url,
        ["refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"],
        undefined,
        signal,
        countForeignCommits,
      );
    },

    async remove(url) {
      pathBelow(prefix, url);
      return false;
    },
  };
}
