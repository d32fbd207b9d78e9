import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Timing } from "../cluster/timing.ts";
import { hiddenFile } from "./hidden-file.ts";

/** Where Terraform finds the values that must stand nowhere: a link in the workspace to its descriptor 3. */
export const hiddenValues = { file: "hidden.tfvars.json", target: "/dev/fd/3" } as const;

/** How one process of Terraform is run. */
export interface ProcessRequest {
  readonly binary: string;
  readonly args: readonly string[];
  /** The workspace; only this user may enter it. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Values of variables that must stand nowhere; given through {@link hiddenValues}. */
  readonly hidden?: Readonly<Record<string, string>> | undefined;
  readonly timing: Timing;
  /** Asks Terraform, once, to stop in good order. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds one waits for it then. */
  readonly patience: number;
  /** Told of the process as soon as it is there. */
  readonly started: (pid: number) => Promise<void>;
  readonly line: (line: string) => void;
}

/** How it ended. */
export interface ProcessEnd {
  /** Undefined: by a signal, or it has not ended though it was asked to and waited for. */
  readonly exitCode: number | undefined;
  /** Whether it still runs: it was asked to stop, and did not in time. */
  readonly running: boolean;
  /** What it wrote apart from its output, uncleaned. */
  readonly stderr: string;
}

/** How often one looks for new output, in milliseconds. */
const lookEvery = 100;
const chunkSize = 64 * 1024;

/**
 * Runs Terraform once, through no shell. It is a session of its own and writes into files, not into pipes of this
 * process: whatever becomes of this one, Terraform finishes what it does and saves its state; and a Ctrl-C in the
 * terminal reaches it only through here, once.
 */
export async function runProcess(request: ProcessRequest): Promise<ProcessEnd> {
  const paths = [join(request.folder, "output.jsonl"), join(request.folder, "errors.txt")] as const;
  await Promise.all(paths.map((path) => rm(path, { force: true })));
  const out = openSync(paths[0], "wx", 0o600);
  const err = openSync(paths[1], "wx", 0o600);
  const secret =
    request.hidden === undefined ? undefined : hiddenFile(JSON.stringify(request.hidden), request.folder);
  let child: ChildProcess;
  try {
    child = start(request, out, err, secret);
  } finally {
    closeSync(out);
    closeSync(err);
    if (secret !== undefined) closeSync(secret);
  }
  const ended = new AbortController();
  const end = new Promise<{ readonly exitCode: number | undefined; readonly running: false }>((resolve) => {
    const finish = (exitCode: number | undefined) => {
      ended.abort();
      resolve({ exitCode, running: false });
    };
    child.once("exit", (code) => finish(code ?? undefined));
    child.once("error", () => finish(undefined));
  });
  // Where it cannot be written which process it is, that is found out without.
  if (child.pid !== undefined) await request.started(child.pid).catch(() => {});
  const output = await open(paths[0], "r");
  const interrupt = () => child.kill("SIGINT");
  request.signal?.addEventListener("abort", interrupt, { once: true });
  if (request.signal?.aborted === true) interrupt();
  try {
    const lines = follow(output, request, ended.signal);
    const outcome = await Promise.race([
      end,
      outOfPatience(request, ended.signal).then(() => ({ exitCode: undefined, running: true })),
    ]);
    if (outcome.running) {
      ended.abort();
      child.unref();
    }
    await lines;
    return { ...outcome, stderr: await readFile(paths[1], "utf8").catch(() => "") };
  } finally {
    request.signal?.removeEventListener("abort", interrupt);
    await output.close();
    await Promise.all(paths.map((path) => rm(path, { force: true })));
  }
}

function start(request: ProcessRequest, out: number, err: number, secret: number | undefined): ChildProcess {
  return spawn(request.binary, request.args, {
    cwd: request.folder,
    env: request.environment,
    stdio: ["ignore", out, err, secret ?? "ignore"],
    detached: true,
  });
}

/** Resolves when Terraform was asked to stop and has had its time; never where nobody asks. */
async function outOfPatience(
  { signal, timing, patience }: ProcessRequest,
  ended: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal?.aborted === true) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true, signal: ended });
  });
  await timing.sleep(patience, ended);
}

/** Tells of each line until the process has ended and all it wrote is read. */
async function follow(
  output: FileHandle,
  { line, timing }: ProcessRequest,
  ended: AbortSignal,
): Promise<void> {
  const buffer = Buffer.alloc(chunkSize);
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const last = ended.aborted;
    for (;;) {
      const { bytesRead } = await output.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      const lines = (rest + decoder.decode(buffer.subarray(0, bytesRead), { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const each of lines) if (each !== "") line(each);
    }
    if (last) {
      if (rest !== "") line(rest);
      return;
    }
    // The end wakes one up.
    await timing.sleep(lookEvery, ended).catch(() => {});
  }
}
