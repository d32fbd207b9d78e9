/** A file of a commit; `executable` sets mode 100755. */
export interface RepositoryFile {
  /** Relative, with forward slashes. */
  readonly path: string;
  readonly content: string;
  readonly executable?: boolean;
}

export interface Commit {
  readonly hash: string;
  readonly title: string;
  readonly author: string;
  /** RFC 3339. */
  readonly at: string;
  /** The run that made it; empty for a commit by anybody else. */
  readonly run: string;
}

/** Where repositories live. The adapter for Git is `git-host.ts`; it runs the `git` binary and never a shell. */
export interface CodeHost {
  /** URL of a service's repository, without credentials; derived from team and service, never free text. */
  urlOf(team: string, service: string): string;
  /** Whether the host can be reached and written to by whoever executes; a sentence that says why not. */
  check(
    signal?: AbortSignal,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly problem: string; readonly mend: string }>;
  exists(url: string, signal?: AbortSignal): Promise<boolean>;
  /** Every repository that a run of the platform made. Left out where the host cannot be asked. */
  list?(signal?: AbortSignal): Promise<readonly { readonly url: string; readonly run: string }[]>;
  /**
   * Makes an empty repository marked as made by `run`; one that exists is left alone. `created` is true for one that
   * an earlier attempt of the same run made.
   */
  create(url: string, run: string, signal?: AbortSignal): Promise<{ readonly created: boolean }>;
  /**
   * Commits the files on top of the branch's head (parentless on an empty repository), compare-and-set on the ref.
   * `created: false` where the tree already has exactly these contents.
   */
  commit(
    url: string,
    change: {
      readonly branch: string;
      readonly title: string;
      readonly files: readonly RepositoryFile[];
      readonly run: string;
    },
    signal?: AbortSignal,
  ): Promise<{ readonly commit: string; readonly created: boolean }>;
  /** Newest first. */
  log(url: string, branch: string, limit: number, signal?: AbortSignal): Promise<readonly Commit[]>;
  /** Commits that did not come from the platform: a repository with any is somebody's work and is kept. */
  foreignCommits(url: string, signal?: AbortSignal): Promise<number>;
  /** Deletes a repository only where it was made by `run` and has no foreign commits. `false`: kept. */
  remove(url: string, run: string, signal?: AbortSignal): Promise<boolean>;
}
