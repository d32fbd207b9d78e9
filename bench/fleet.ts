/**
 * The app at 100, 1,000 and 10,000 managed namespaces, in a pty of 200x50: first frame, first rows, complete list,
 * peak memory, CPU while idle; beside `kubectl get namespaces -l …` in the same run.
 *
 *     PLATFORM_TEST_KUBECONFIG=… npm run bench:fleet
 */
import { readFile } from "node:fs/promises";
import { spawn } from "@lydell/node-pty";
import headless from "@xterm/headless";
import pLimit from "p-limit";
import { labels } from "../src/application/names.ts";
import { connect } from "../src/cluster/connect.ts";
import { resources } from "../src/cluster/resource.ts";
import { benchKubeconfig, program, timeProcess } from "./cluster.ts";
import { markdownTable, median, medianRatio, milliseconds } from "./statistics.ts";

const sizes = (process.env.SIZES ?? "100,1000,10000").split(",").map(Number);
const rounds = Number(process.env.ROUNDS ?? 5);
const kubeconfig = benchKubeconfig();
const selector = `${labels.managed}=true`;

interface Measurement {
  /** First screen that is drawn, in milliseconds from spawn. */
  readonly firstFrame: number;
  /** First screen that shows a service's row. */
  readonly firstRows: number;
  /** First screen that counts all services. */
  readonly complete: number;
  /** Peak resident memory in MiB. */
  readonly memory: number;
  /** Share of one CPU over two idle seconds after the list is complete. */
  readonly idle: number;
}

/** User and system time a process has used, in milliseconds. */
async function cpuTime(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function measureApp(services: number): Promise<Measurement> {
  const terminal = new headless.Terminal({ cols: 200, rows: 50, allowProposedApi: true });
  const [file, ...args] = program;
  const started = performance.now();
  const child = spawn(file, [...args, "--kubeconfig", kubeconfig], {
    name: "xterm-256color",
    cols: 200,
    rows: 50,
  });
  const text = () => {
    const buffer = terminal.buffer.active;
    return Array.from(
      { length: terminal.rows },
      (_, row) => buffer.getLine(row)?.translateToString(true) ?? "",
    ).join("\n");
  };
  const exited = new Promise<void>((resolve) => child.onExit(() => resolve()));
  const shown = await new Promise<Pick<Measurement, "firstFrame" | "firstRows" | "complete">>(
    (resolve, reject) => {
      const giveUp = setTimeout(
        () => reject(new Error(`the list was not complete after 60 s:\n${text()}`)),
        60_000,
      );
      let firstFrame: number | undefined;
      let firstRows: number | undefined;
      child.onData((data) => {
        terminal.write(data, () => {
          const now = performance.now() - started;
          const screen = text();
          if (/^ platform\b/.test(screen)) firstFrame ??= now;
          if (/bench-\d{5}/.test(screen)) firstRows ??= now;
          if (new RegExp(`(^|\\D)${services} services`).test(screen.replaceAll(",", ""))) {
            clearTimeout(giveUp);
            resolve({ firstFrame: firstFrame ?? now, firstRows: firstRows ?? now, complete: now });
          }
        });
      });
    },
  );
  await new Promise((resolve) => setTimeout(resolve, 2_000)); // settle: watches open, proofs asked for
  const before = await cpuTime(child.pid);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const idle = ((await cpuTime(child.pid)) - before) / 2_000;
  const peak = /VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, "utf8"))?.[1];
  child.write("q");
  await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 2_000))]);
  child.kill("SIGKILL");
  return { ...shown, memory: Number(peak) / 1024, idle };
}

const cluster = await connect({ kind: "kubeconfig", path: kubeconfig });
const limit = pLimit(32);
const nameOf = (index: number) => `bench-${String(index).padStart(5, "0")}`;

/** Makes managed namespaces up to `count`. */
async function populate(from: number, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count - from }, (_, offset) =>
      limit(async () => {
        const name = nameOf(from + offset);
        await cluster.create(resources.namespaces, {
          apiVersion: "v1",
          kind: "Namespace",
          metadata: {
            name: `app-${name}`,
            labels: { [labels.managed]: "true", [labels.service]: name, [labels.team]: "bench" },
          },
        });
      }),
    ),
  );
}

// Namespaces of an earlier run serve again; anybody else's would be counted with them.
const existing = await cluster.listMetadata(resources.namespaces, { labelSelector: selector });
let made = existing.items.length;
if (
  existing.items.some(({ metadata }) => metadata.labels?.[labels.team] !== "bench") ||
  made > (sizes[0] ?? 0)
) {
  console.error(`the cluster has ${made} managed namespaces already; use an empty throwaway cluster`);
  process.exit(2);
}
const rows: string[][] = [];
for (const size of sizes) {
  await populate(made, size);
  made = size;
  const ours: Measurement[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const measurement = await measureApp(size);
    const kubectl = await timeProcess([
      "kubectl",
      "--kubeconfig",
      kubeconfig,
      "get",
      "namespaces",
      "-l",
      selector,
    ]);
    if (round === 0) continue; // warm-up
    ours.push(measurement);
    theirs.push(kubectl);
  }
  const complete = ours.map((measurement) => measurement.complete);
  rows.push([
    size.toLocaleString("en"),
    milliseconds(median(ours.map((measurement) => measurement.firstFrame))),
    milliseconds(median(ours.map((measurement) => measurement.firstRows))),
    milliseconds(median(complete)),
    milliseconds(median(theirs)),
    medianRatio(complete, theirs).toFixed(2),
    `${Math.round(median(ours.map((measurement) => measurement.memory)))} MiB`,
    `${(median(ours.map((measurement) => measurement.idle)) * 100).toFixed(1)} %`,
  ]);
}
console.log(`${rounds} rounds in turn, medians, pty of 200x50:\n`);
console.log(
  markdownTable(
    [
      "namespaces",
      "first frame",
      "first rows",
      "complete list",
      "`kubectl get namespaces -l …`",
      "ratio",
      "peak memory",
      "CPU idle",
    ],
    rows,
  ),
);
await cluster.close();
