import { type ChildProcess, spawn } from "node:child_process";

/** How long a command may take, in milliseconds. */
const longest = 240_000;

/** How a command came to its end. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** The program in a process of its own. */
export interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts the built program; `HOME` and its state are in `folder`. */
export function startProgram(
  folder: string,
  argv: readonly string[],
  launcher: readonly string[] = [],
): Child {
  const env: Record<string, string> = { HOME: folder, PLATFORM_STATE_DIR: folder };
  for (const name of ["PATH", "TMPDIR", "NODE_COMPILE_CACHE", "LANG"]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  const [file = process.execPath, ...args] = [...launcher, process.execPath, "dist-test/main.js", ...argv];
  const child = spawn(file, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  // A program that hangs is a defect to be told, not a test run to be waited for.
  const deadline = setTimeout(() => {
    err += `\nstill there after ${longest / 1_000} s, so it was ended\n`;
    child.kill("SIGTERM");
  }, longest);
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(deadline);
      resolve({ code, signal, out, err });
    });
  });
  return { process: child, ended };
}
