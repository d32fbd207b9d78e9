import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { limitCpu } from "./cpu-limit.ts";
import { type ReconcileTimes, reconcileTimes } from "./reconcile-times.ts";

/** An operator under measurement. */
export interface Contender {
  readonly name: string;
  /** Its command line, given where `/metrics` is to be served. */
  command(ports: { readonly metrics: number; readonly health: number }): readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What a process has taken of the machine. */
export interface Cost {
  /** Seconds of one core, user and system, since it started. */
  readonly cpu: number;
  /** Peak resident memory in MiB. */
  readonly memory: number;
}

/** A contender's process that runs. */
export interface Running {
  cost(): Promise<Cost>;
  /** Of all reconciles since it started. */
  reconcileTimes(): Promise<ReconcileTimes>;
  /** Resolves once it has looked at so many Applications since it started and has nothing in hand. */
  calm(applications: number): Promise<void>;
  /** By SIGTERM, to its end. */
  stop(): Promise<void>;
}

/** How long an operator may take to get calm, in milliseconds. */
const patienceMs = 600_000;

/** @param cores - so much of the machine's cores and no more; left out: all */
export async function start({ name, command, env = {} }: Contender, cores?: number): Promise<Running> {
  const ports = { metrics: await freePort(), health: await freePort() };
  const [file = "", ...args] = command(ports);
  const child = execa(file, args, { env, stdin: "ignore", stdout: "ignore", stderr: "pipe", reject: false });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} did not start: ${file}`);
  const unlimit =
    cores === undefined
      ? undefined
      : await limitCpu(pid, cores).catch((error: unknown) => {
          child.kill();
          throw error;
        });
  let ended = false;
  void child.then(() => {
    ended = true;
  });
  const metrics = async () => (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text();
  return {
    cost: () => costOf(pid),
    reconcileTimes: async () => reconcileTimes(await metrics()),
    async calm(applications) {
      const until = performance.now() + patienceMs;
      let told = "nothing";
      while (performance.now() < until) {
        if (ended) throw new Error(`${name} ended by itself: ${(await child).stderr.slice(-2_000)}`);
        told = await metrics().catch(() => "nothing");
        if (isCalm(told, applications)) return;
        await delay(50);
      }
      throw new Error(`${name} did not get calm within ${patienceMs / 1_000} s; its metrics: ${told}`);
    },
    async stop() {
      child.kill("SIGTERM");
      await child;
      await unlimit?.().catch(() => undefined);
    },
  };
}

/** By controller-runtime's metrics, which both have. */
function isCalm(metrics: string, applications: number): boolean {
  const sum = (name: string, of = /./) => {
    let found = 0;
    for (const line of metrics.split("\n")) {
      if (line.startsWith(`${name}{`) && of.test(line)) found += Number(line.slice(line.lastIndexOf(" ")));
    }
    return found;
  };
  return (
    /controller="applications?"/.test(metrics) &&
    sum("controller_runtime_reconcile_total", /controller="applications?"/) >= applications &&
    sum("controller_runtime_active_workers") === 0 &&
    sum("workqueue_depth") === 0
  );
}

/** Linux only: what it cost is in `/proc`. */
async function costOf(pid: number): Promise<Cost> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const peak = /VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, memory: Number(peak) / 1024 };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
