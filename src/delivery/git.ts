import type { ExecFileException } from "node:child_process";
import { cleanText } from "../cluster/text.ts";
import { DeliveryError } from "./delivery-error.ts";

/** How the `git` binary is run. */
export interface GitOptions {
  /** The binary: a name looked up in PATH, or a path. */
  readonly binary: string;
  /** The environment that the few variables Git may see are taken from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /**
   * `local`: repositories in folders, under no influence of anybody's Git configuration. `remote`: the user's
   * credentials, proxies and SSH set-up apply, and no hooks.
   */
  readonly access: "local" | "remote";
}

/** What one Git process said. */
export interface GitResult {
  readonly exitCode: number;
  readonly stdout: string;
  /** Cleaned, one line, at most 300 characters: the part that says what went wrong. */
  readonly problem: string;
}

/** Milliseconds one Git process may take before it counts as hung. */
const timeouts = { local: 30_000, remote: 120_000 } as const;

/** Characters of output beyond which a Git process is ended. */
const longestOutput = 100 * 1024 * 1024;

interface Ended {
  /** What it ended with other than 0: an exit code, a signal, or why it could not be started. */
  readonly error: ExecFileException | null;
  readonly stdout: string;
  readonly stderr: string;
}

const passedOn = {
  local: ["PATH", "TMPDIR"],
  remote: [
    ...[
      "PATH",
      "TMPDIR",
      "HOME",
      "USER",
      "XDG_CONFIG_HOME",
      "SSH_AUTH_SOCK",
      "GIT_SSH_COMMAND",
      "GIT_ASKPASS",
    ],
    ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy"],
    ...["no_proxy", "SSL_CERT_FILE", "GIT_SSL_CAINFO"],
  ],
} as const;

/**
 * Runs Git once, never through a shell, without prompts and without hooks.
 * @throws DeliveryError where it cannot be run, hangs, or fails with an exit code that `expect` does not hold.
 */
export async function git(
  options: GitOptions,
  args: readonly string[],
  request: {
    readonly input?: string;
    readonly signal?: AbortSignal | undefined;
    /** Exit codes that are answers; default only 0. */
    readonly expect?: readonly number[] | "any";
  } = {},
): Promise<GitResult> {
  // Most commands run no Git.
  const { execFile } = await import("node:child_process");
  const { error, stdout, stderr } = await new Promise<Ended>((resolve) => {
    const child = execFile(
      options.binary,
      ["-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", ...args],
      {
        env: environmentFor(options),
        timeout: timeouts[options.access],
        maxBuffer: longestOutput,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      },
      (error, stdout, stderr) => resolve({ error, stdout, stderr }),
    );
    // A process that ends early reads no more; its exit code says why.
    child.stdin?.on("error", () => {});
    child.stdin?.end(request.input ?? "");
  });
  if (error?.name === "AbortError") request.signal?.throwIfAborted();
  if (error?.code === "ENOENT" || error?.code === "EACCES") {
    throw new DeliveryError(
      "invalid",
      "the program git was not found on this machine; nothing was written to a repository",
      "install Git 2.30 or later, put it into PATH, then retry",
    );
  }
  const problem = problemIn(stderr);
  if (error?.killed === true) {
    throw new DeliveryError(
      "unreachable",
      `git did not finish within ${timeouts[options.access] / 1000} s${problem === "" ? "" : `: ${problem}`}`,
      "check that the Git host answers, then retry",
    );
  }
  const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
  const expected = request.expect ?? [0];
  if (expected !== "any" && !expected.includes(exitCode)) throw failure(problem, args);
  return { exitCode, stdout, problem };
}

/** The failure that Git's own words tell of. */
export function failure(problem: string, args: readonly string[]): DeliveryError {
  const said = problem === "" ? `git ${args[0] ?? ""} failed and gave no reason` : problem;
  for (const { pattern, errorClass, mend } of knownFailures) {
    if (pattern.test(said)) return new DeliveryError(errorClass, `git: ${said}`, mend);
  }
  return new DeliveryError("internal", `git: ${said}`, "see the log of the run, then retry");
}

const knownFailures: readonly {
  readonly pattern: RegExp;
  readonly errorClass: DeliveryError["class"];
  readonly mend: string;
}[] = [
  {
    pattern: /no space left on device|disk quota exceeded/i,
    errorClass: "refused",
    mend: "free some disk space where the repositories live, then retry",
  },
  {
    pattern:
      /read-only file system|permission denied, |unable to create|insufficient permission|mkdir .*permission/i,
    errorClass: "rights",
    mend: "give this user write access to the folder of the repositories (delivery.host of the standards), then retry",
  },
  {
    pattern:
      /could not resolve host|connection refused|connection timed out|operation timed out|network is unreachable|no route to host|failed to connect|couldn't connect|connection reset|connection closed by|broken pipe/i,
    errorClass: "unreachable",
    mend: "check that the Git host in delivery.host of the standards answers from here, then retry",
  },
  {
    pattern:
      /permission denied|authentication failed|could not read (username|password)|terminal prompts disabled|host key verification failed|access denied|not authorized|unauthorized|\b40[13]\b|write access .* not granted/i,
    errorClass: "rights",
    mend: "give Git on this machine credentials that may push to the host in delivery.host of the standards, then retry",
  },
  {
    pattern: /not found|does not exist|does not appear to be a git repository|not a git repository/i,
    errorClass: "refused",
    mend: "make the empty repository on the host (it cannot be made from here), then retry",
  },
  {
    pattern: /non-fast-forward|fetch first|cannot lock ref|not updating|stale info|failed to update ref/i,
    errorClass: "transient",
    mend: "somebody pushed at the same moment: retry",
  },
  {
    pattern: /protected branch|pre-receive hook declined|remote rejected/i,
    errorClass: "refused",
    mend: "let the platform's user push to the branch, then retry",
  },
];

/** Whether Git's words mean that there is no such repository, rather than that it cannot be reached. */
export function saysMissing(problem: string): boolean {
  return (
    failure(problem, []).class === "refused" && /not found|does not exist|not appear to be/i.test(problem)
  );
}

function environmentFor({ access, environment }: GitOptions): Record<string, string> {
  const env: Record<string, string> = {
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_OPTIONAL_LOCKS: "0",
  };
  for (const name of passedOn[access]) {
    const value = environment[name];
    if (value !== undefined) env[name] = value;
  }
  if (access === "local") {
    env.GIT_CONFIG_GLOBAL = "/dev/null";
    env.GIT_ALLOW_PROTOCOL = "file";
  } else {
    env.GIT_ALLOW_PROTOCOL = "ssh:https";
    env.GIT_SSH_COMMAND ??= "ssh -o BatchMode=yes -o ConnectTimeout=15";
  }
  return env;
}

/** How `fast-import` says that the branch moved under it. */
const movedMeanwhile = /not updating/i;

/** The telling lines of Git's error output, without control characters, credentials and hints. */
function problemIn(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) =>
      cleanText(line)
        .replace(/\/\/[^/@\s]*@/g, "//")
        .trim(),
    )
    .filter((line) => line !== "" && (!/^(hint|warning):/.test(line) || movedMeanwhile.test(line)));
  const telling = lines.filter(
    (line) => /^(fatal|error|remote|ssh|! )|^\[?!/.test(line) || /denied|refused/.test(line),
  );
  const text = (telling.length > 0 ? telling : lines)
    .map((line) => line.replace(/^(fatal|error|remote|warning): */, ""))
    .join("; ");
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}
