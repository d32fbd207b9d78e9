import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { getCompileCacheDir } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Sandbox, SandboxOptions } from "./sandbox.ts";
import { toParent, type WorkerOptions } from "./worker-messages.ts";

/** Unix socket paths end at 104 bytes on some systems. */
const longestSocketPath = 100;

/**
 * Opens the embedded cluster of a folder, making it when there is none. The API server runs in a worker thread and
 * listens on a Unix socket that only this user can reach.
 * @throws Error saying what could not be opened (the folder, the store, the port).
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { folder, speed = 1, port } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const [token] = await Promise.all([tokenOf(folder), removeStaleSockets(folder)]);
  const socketPath = await newSocketPath(folder);
  const { worker, served } = await startWorker({
    folder,
    socketPath,
    token,
    speed,
    ...(port === undefined ? {} : { port }),
  });
  let closing: Promise<void> | undefined;
  return {
    // Over the Unix socket the host in the URL is only a name.
    url: "http://sandbox",
    token,
    socketPath,
    served: served ?? undefined,
    close() {
      closing ??= closeWorker(worker, socketPath, folder);
      return closing;
    },
  };
}

/** The token of a store, made once, whoever comes first. */
async function tokenOf(folder: string): Promise<string> {
  const path = join(folder, "token");
  if (!existsSync(path)) {
    const draft = join(folder, `token-${process.pid}-${randomBytes(4).toString("hex")}`);
    await writeFile(draft, randomBytes(32).toString("base64url"), { mode: 0o600 });
    // A link fails when the file exists by now, and never shows a half-written one.
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    await unlink(draft);
  }
  return (await readFile(path, "utf8")).trim();
}

async function newSocketPath(folder: string): Promise<string> {
  const name = `api-${process.pid}-${randomBytes(3).toString("hex")}.sock`;
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= longestSocketPath) return path;
  return join(await mkdtemp(join(tmpdir(), "platform-")), name);
}

/** Sockets of processes that were killed. */
async function removeStaleSockets(folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    const pid = /^api-(\d+)-[0-9a-f]+\.sock$/.exec(file)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, file), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** In a bundle the worker is a file beside this one; unbundled it is the TypeScript source. */
function workerFile(): URL {
  const bundled = new URL("./sandbox-worker.js", import.meta.url);
  return import.meta.url.endsWith(".ts") ? new URL("./worker.ts", import.meta.url) : bundled;
}

function startWorker(options: WorkerOptions): Promise<{ worker: Worker; served: Sandbox["served"] | null }> {
  const compiled = getCompileCacheDir();
  // Node 22 says once that node:sqlite is experimental.
  const worker = new Worker(workerFile(), {
    workerData: options,
    // A worker keeps compiled code only where its environment says so.
    env: { ...process.env, ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }) },
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  return new Promise((resolve, reject) => {
    const fail = (message: string) => {
      reject(new Error(`the sandbox in ${options.folder} could not be opened: ${message}`));
      void worker.terminate();
    };
    worker.once("error", (error) => fail(error instanceof Error ? error.message : String(error)));
    worker.once("exit", (code) => fail(`its worker ended with code ${code}`));
    worker.on("message", (message: unknown) => {
      const told = toParent.parse(message);
      if (told.type === "failed") fail(told.message);
      else resolve({ worker, served: told.served });
    });
  });
}

async function closeWorker(worker: Worker, socketPath: string, folder: string): Promise<void> {
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  worker.postMessage("close");
  const timer = setTimeout(() => void worker.terminate(), 2000);
  await exited;
  clearTimeout(timer);
  await rm(socketPath, { force: true });
  if (dirname(socketPath) !== folder) await rm(dirname(socketPath), { recursive: true, force: true });
}
