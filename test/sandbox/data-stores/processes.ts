import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The first of these files that is there: servers are installed outside PATH in some distributions. */
export function firstThere(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}

/** Runs a program to its end. As root it runs as `nobody`, where the program refuses to be root. */
export function run(
  file: string,
  args: readonly string[],
  options: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly input?: string;
    readonly unprivileged?: true;
    readonly cwd?: string;
  } = {},
): Promise<Ran> {
  const [program, ...given] = options.unprivileged === true ? unprivileged([file, ...args]) : [file, ...args];
  return new Promise((resolve, reject) => {
    const child = execFile(
      program ?? file,
      given,
      {
        env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8", ...options.environment },
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        timeout: 60_000,
      },
      (error, out, err) => {
        if (error !== null && typeof error.code !== "number") reject(error);
        else resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
      },
    );
    // Who ends before it has read everything says why by its exit code.
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input ?? "");
  });
}

/** A command line as it is to be run by a user without rights. */
export function unprivileged(command: readonly string[]): string[] {
  if (process.getuid?.() !== 0) return [...command];
  return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", ...command];
}

/** Starts a server; its output is what failed where it ends early. */
export function start(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd: string,
) {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  child.stdout.on("data", (chunk) => output.push(String(chunk)));
  child.stderr.on("data", (chunk) => output.push(String(chunk)));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    pid: child.pid ?? 0,
    output: () => output.join(""),
    async stop(signal: NodeJS.Signals = "SIGINT") {
      child.kill(signal);
      await ended;
    },
  };
}

/** A temporary folder that everybody may enter, and how it goes. */
export async function folder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "store-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Asks until it holds. @throws where it does not within a time that nothing sane needs */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
