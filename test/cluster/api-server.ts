import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** The API server of a control plane that tests may kill, by the folder with `apiserver.pid` and its log. */
export function testApiServer(folder = process.env.PLATFORM_TEST_CONTROL): ApiServer | undefined {
  return folder === undefined || folder === "" ? undefined : new ApiServer(folder);
}

/** A process that is killed and started again as it was started before. */
class ApiServer {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** SIGKILL, and the same command line again at once. Resolves when the new process is there, long before it answers. */
  async killAndRestart(): Promise<void> {
    const pidFile = join(this.#folder, "apiserver.pid");
    const pid = Number(await readFile(pidFile, "utf8"));
    const [commandLine, cwd] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, "utf8"),
      readlink(`/proc/${pid}/cwd`),
    ]);
    const [file = "", ...args] = commandLine.split("\0").slice(0, -1);
    if (!file.includes("apiserver")) throw new Error(`${pid} is no API server: ${file}`);
    process.kill(pid, "SIGKILL");
    while (await isThere(pid)) await delay(20);
    const log = openSync(join(this.#folder, "apiserver.log"), "a");
    const start = async (again: number): Promise<void> => {
      const started = spawn(file, args, { cwd, detached: true, stdio: ["ignore", log, log] });
      started.unref();
      // Tests after this one need a server.
      started.once("exit", () => again > 0 && void start(again - 1));
      await writeFile(pidFile, `${started.pid}\n`);
    };
    await start(3);
  }
}

/** Whether anything of a process is left but what its parent has not asked about: its last thread frees its port. */
async function isThere(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  if (stat === "") return false;
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  return threads.length > 1 || !/^\d+ \(.*\) Z/.test(stat);
}
