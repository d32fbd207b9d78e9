/**
 * What becomes of runs whose process is killed: some hundreds of `platform service create`, each ended by SIGKILL before
 * or after a random one of its writes and then, by a new process, rolled back or resumed. Prints how many came to the end that was asked
 * for, how long that took from the start of the new process to its end, and what was left of those rolled back.
 *
 * On the throwaway cluster of `PLATFORM_TEST_KUBECONFIG`, else on a sandbox as fast as life. The table goes into the
 * README, between its markers.
 *
 *     npm run bench:recovery -- [kills, 300] [seed]
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import pLimit from "p-limit";
import { z } from "zod";
import type { Cluster } from "../src/cluster/cluster.ts";
import { connect } from "../src/cluster/connect.ts";
import { inventory } from "../test/cluster/inventory.ts";
import { upstreamOf } from "../test/cluster/upstream.ts";
import { kubeconfigFor, openProxy, type Upstream } from "../test/crash/proxy.ts";
import { seeded } from "../test/crash/random.ts";
import { program } from "./cluster.ts";
import { writeReadme } from "./readme.ts";
import { markdownTable, median, milliseconds } from "./statistics.ts";

const kills = Number(process.argv[2] ?? 300);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const random = seeded(seed);
const atOnce = 8;

/** Where the services are made. */
interface Ground {
  readonly title: string;
  readonly cluster: Cluster;
  readonly flags: readonly string[];
  readonly upstream: Upstream;
  close(): Promise<void>;
}

interface Recovered {
  readonly recovery: "rollback" | "resume";
  readonly service: string;
  /** Milliseconds. */
  readonly took: number;
  /** Whether it came to the end that was asked for. */
  readonly done: boolean;
}

const runsSchema = z.looseObject({
  items: z.array(z.looseObject({ name: z.string(), phase: z.string(), operation: z.string() })),
});

const folder = await mkdtemp(join(tmpdir(), "platform-bench-"));
const prefix = `rec${Date.now().toString(36).slice(-5)}`;
const env = { PLATFORM_STATE_DIR: join(folder, "state") };

async function platform(ground: Ground, ...args: readonly string[]) {
  const [file, ...rest] = program;
  return execa(file, [...rest, ...ground.flags, ...args], { env, stdin: "ignore", reject: false });
}

async function openGround(): Promise<Ground> {
  const standards = join(folder, "platform.yaml");
  await writeFile(
    standards,
    JSON.stringify({
      delivery: { host: `file://${folder}/repositories` },
      images: { starter: "registry.example.internal/platform:1" },
    }),
  );
  const given = process.env.PLATFORM_TEST_KUBECONFIG;
  const onCluster = given !== undefined && given !== "";
  const serving = onCluster ? undefined : startSandbox();
  const kubeconfig = serving === undefined ? (given ?? "") : await serving.kubeconfig;
  const ground: Ground = {
    title: onCluster ? "a real API server (Kubernetes 1.37)" : "the sandbox",
    cluster: await connect({ kind: "kubeconfig", path: kubeconfig }),
    flags: ["--kubeconfig", kubeconfig],
    upstream: await upstreamOf(kubeconfig),
    async close() {
      await ground.cluster.close();
      await serving?.stop();
    },
  };
  const installed = await platform(ground, "install", "--standards", standards, "--yes");
  if (installed.exitCode !== 0) throw new Error(`install: ${installed.stderr}`);
  return ground;
}

/** `platform sandbox serve` in a process of its own. */
function startSandbox() {
  const [file, ...rest] = program;
  const child = execa(file, [...rest, "sandbox", "serve"], {
    env,
    stdin: "ignore",
    reject: false,
    buffer: false,
  });
  const path = join(folder, "state", "sandbox.kubeconfig");
  return {
    kubeconfig: (async () => {
      for await (const line of child) if (line.includes(path)) return path;
      throw new Error("the sandbox did not start");
    })(),
    async stop() {
      child.kill("SIGTERM");
      await child;
    },
  };
}

function creation(service: string): readonly string[] {
  const parts = ["--language", "go", "--replicas", "2", "--database", "postgres", "--cache", "redis"];
  return ["service", "create", service, ...parts, "--yes", "-o", "json"];
}

/** Where a process dies: at its n-th write, before the server hears of it or before its answer comes back. */
interface Death {
  readonly write: number;
  readonly fate: "die-before" | "die-after";
}

/** A creation in a process of its own, to its end or to its death. */
async function create(ground: Ground, service: string, death?: Death) {
  let kill = () => {};
  const proxy = await openProxy(ground.upstream, service, () => kill());
  let writes = 0;
  proxy.meet(({ names }) => {
    if (names.length > 0) writes += 1;
    return names.length > 0 && writes === death?.write ? death.fate : "pass";
  });
  const kubeconfig = join(folder, `${service}.kubeconfig`);
  await writeFile(kubeconfig, kubeconfigFor(proxy.url));
  const [file, ...rest] = program;
  const options = { env, stdin: "ignore", reject: false } as const;
  const child = execa(file, [...rest, "--kubeconfig", kubeconfig, ...creation(service)], options);
  kill = () => child.kill("SIGKILL");
  const { exitCode } = await child;
  await proxy.close();
  return { exitCode, writes };
}

/** Writes that an undisturbed run takes. */
async function undisturbed(ground: Ground): Promise<number> {
  const { exitCode, writes } = await create(ground, `${prefix}-calm`);
  if (exitCode !== 0) throw new Error(`an undisturbed creation ended ${exitCode}`);
  return writes;
}

/** Undefined where it had come to its end before: nothing was left to go on with. */
async function killedAndRecovered(
  ground: Ground,
  service: string,
  death: Death,
  recovery: Recovered["recovery"],
): Promise<Recovered | undefined> {
  await create(ground, service, death);
  const listed = await platform(ground, "run", "list", "--service", service, "-o", "json");
  const [run] = runsSchema.parse(JSON.parse(listed.stdout)).items;
  if (run === undefined) return undefined;
  const wanted = recovery === "rollback" ? "RolledBack" : "Succeeded";
  if (recovery === "resume" && run.phase === "Succeeded") return undefined;
  const words = recovery === "rollback" ? ["--data-stores", "delete", "--confirm", service, "--yes"] : [];
  const started = performance.now();
  const { stdout, stderr } = await platform(ground, "run", recovery, run.name, ...words, "-o", "json");
  const took = performance.now() - started;
  const shown = await platform(ground, "run", "list", "--service", service, "-o", "json");
  const phase = runsSchema.parse(JSON.parse(shown.stdout)).items[0]?.phase;
  if (phase !== wanted) {
    const told = `${stdout.split("\n").at(-1)}${stderr}`;
    console.error(`${service}: ${death.fate} at write ${death.write}, ${recovery} ended ${phase}\n${told}`);
  }
  return { recovery, service, took, done: phase === wanted };
}

/** Objects that are left of services that were rolled back; the record of runs and the last snapshots are meant to stay. */
async function orphansOf(ground: Ground, services: readonly string[]): Promise<readonly string[]> {
  const found = await inventory(ground.cluster, { about: prefix });
  return [...found.keys()].filter(
    (key) =>
      !/^(runs|leases|volumesnapshotcontents)\./.test(key) &&
      services.some((service) => new RegExp(`\\b${service}\\b`).test(key)),
  );
}

async function cleanUp(ground: Ground): Promise<void> {
  const found = await inventory(ground.cluster, { about: prefix });
  const kubectl = (...args: string[]) => execa("kubectl", [...ground.flags, ...args, "--ignore-not-found"]);
  const named = (type: string) =>
    [...found.keys()]
      .filter((key) => key.startsWith(`${type} `))
      .map((key) => key.split(/[ /]/).at(-1) ?? "");
  const namespaces = named("namespaces");
  if (namespaces.length > 0) await kubectl("delete", "namespace", ...namespaces, "--wait=false");
  const runs = named("runs.platform.company.com");
  if (runs.length > 0) await kubectl("delete", "runs.platform.company.com", "-n", "platform-system", ...runs);
}

function row(title: string, recovered: readonly Recovered[]): readonly string[] {
  if (recovered.length === 0) return [title, "0", "", "", ""];
  const took = recovered.map((one) => one.took);
  const done = recovered.filter((one) => one.done).length;
  return [
    title,
    String(recovered.length),
    `${((100 * done) / recovered.length).toFixed(1)} %`,
    milliseconds(median(took)),
    milliseconds(Math.max(...took)),
  ];
}

const ground = await openGround();
try {
  const whole = await undisturbed(ground);
  const limit = pLimit(atOnce);
  const plan = Array.from({ length: kills }, (_, index) => ({
    service: `${prefix}-${String(index).padStart(3, "0")}`,
    death: {
      write: 1 + Math.floor(random() * whole),
      fate: random() < 0.5 ? ("die-before" as const) : ("die-after" as const),
    },
    recovery: random() < 2 / 3 ? ("rollback" as const) : ("resume" as const),
  }));
  const results = await Promise.all(
    plan.map(({ service, death, recovery }) =>
      limit(() => killedAndRecovered(ground, service, death, recovery)),
    ),
  );
  const recovered = results.filter((result) => result !== undefined);
  const rolledBack = recovered.filter(({ recovery }) => recovery === "rollback");
  const resumed = recovered.filter(({ recovery }) => recovery === "resume");
  const orphans = await orphansOf(
    ground,
    rolledBack.map(({ service }) => service),
  );
  const idle = kills - recovered.length;
  const text = [
    `${kills} processes killed before or after a random write of a creation (${idle} of them with nothing left to go on with), on ${ground.title}; seed ${seed}.`,
    "",
    markdownTable(
      ["then", "runs", "came to that end", "median", "worst"],
      [row("rolled back", rolledBack), row("resumed", resumed)],
    ),
    "",
    `Orphans left: ${orphans.length}.`,
  ].join("\n");
  console.log(text);
  for (const orphan of orphans) console.error(`orphan: ${orphan}`);
  await writeReadme("bench:recovery", text);
} finally {
  await cleanUp(ground);
  await ground.close();
  await rm(folder, { recursive: true, force: true });
}
