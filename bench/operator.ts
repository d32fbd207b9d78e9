/**
 * `platform operator` beside a peer written with controller-runtime (Go, in `operator/peer`), which makes the same
 * seven children of an Application. The same control plane, one after the other: many Applications at once, then new
 * ones, changes and drift at five a second, then a restart. The peer is built when this begins; it needs Go.
 *
 *     PLATFORM_TEST_KUBECONFIG=… npm run bench:operator
 *
 * SIZES=1000,3000 Applications; SECONDS=20 of new ones, of changes and of drift; FIRST=peer to begin with it; ONLY=platform
 * or ONLY=peer for one of them alone; CORES=0.5 gives whoever is measured so much of a core (as root). With README=yes
 * the tables go into the README, between its markers. Linux only. The cluster must be a throwaway one and hold no
 * Applications.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { connect } from "../src/cluster/connect.ts";
import { resources } from "../src/cluster/resource.ts";
import { nodeOptions } from "../src/installation/operator.ts";
import { carryOut, planManage } from "../src/provisioning/namespaces/manage.ts";
import { standardsSchema } from "../src/standards/standards.ts";
import { benchKubeconfig, program } from "./cluster.ts";
import { writeOperatorKubeconfig } from "./operator/account.ts";
import type { Contender } from "./operator/contender.ts";
import { type Measured, measure } from "./operator/measure.ts";
import { resultTable } from "./operator/result-table.ts";
import { writeReadme } from "./readme.ts";

const sizes = (process.env.SIZES ?? "1000").split(",").map(Number);
const seconds = Number(process.env.SECONDS ?? 20);
const cores = process.env.CORES === undefined ? undefined : Number(process.env.CORES);
const kubeconfig = benchKubeconfig();
/** Applications of one namespace. */
const neighbours = 25;

const folder = await mkdtemp(join(tmpdir(), "platform-bench-"));
const peerFile = join(folder, "peer");
/** Both are the operator to the cluster, so that the guardrails ask the same of both. */
const account = join(folder, "operator.kubeconfig");
const platform: Contender = {
  name: "platform",
  command: ({ metrics, health }) => {
    const ports = ["--metrics-port", String(metrics), "--health-port", String(health)];
    return [...program, "--kubeconfig", account, "operator", ...ports, "--log-level", "error"];
  },
  // As in its Deployment.
  env: { NODE_OPTIONS: nodeOptions },
};
const peer: Contender = {
  name: "controller-runtime",
  command: ({ metrics, health }) => {
    const addresses = [`--metrics=127.0.0.1:${metrics}`, `--health=127.0.0.1:${health}`];
    return [peerFile, `--kubeconfig=${account}`, ...addresses];
  },
};

/** Quotas as shipped, but with room for the benchmark. */
const standards = standardsSchema.parse({
  images: { starter: "registry.example.internal/platform:1", registries: ["registry.example.internal"] },
  teams: { bench: { groups: ["bench"] } },
  quota: { cpu: "1000", memory: "4Ti", pods: 10_000, storage: "1Ti" },
});

async function prepare(namespaces: readonly string[]): Promise<void> {
  const file = join(folder, "platform.yaml");
  await writeFile(file, stringify(standards));
  const flags = ["--kubeconfig", kubeconfig, "--standards", file];
  await execa(program[0], [program[1], ...flags, "install", "--yes"], { stdin: "ignore" });
  const cluster = await connect({ kind: "kubeconfig", path: kubeconfig });
  try {
    const { items } = await cluster.listMetadata(resources.applications, { limit: 1 });
    if (items.length > 0) {
      console.error("the cluster has Applications already; use an empty throwaway cluster");
      process.exit(2);
    }
    for (const name of namespaces) {
      await carryOut(cluster, await planManage(cluster, standards, { name, team: "bench" }));
    }
    await writeOperatorKubeconfig(kubeconfig, account);
  } finally {
    await cluster.close();
  }
}

try {
  const peerFolder = new URL("operator/peer", import.meta.url).pathname;
  const only = process.env.ONLY;
  if (only !== "platform") await execa("go", ["build", "-o", peerFile, "."], { cwd: peerFolder });
  const count = Math.ceil(Math.max(...sizes) / neighbours);
  const namespaces = Array.from({ length: count }, (_, index) => `bench-${index}`);
  await prepare(namespaces);
  const inTurn = process.env.FIRST === "peer" ? [peer, platform] : [platform, peer];
  const contenders = inTurn.filter(
    (contender) => only === undefined || (only === "platform") === (contender === platform),
  );
  const [load = 0] = loadavg();
  const told: string[] = [];
  const tell = (text: string) => {
    told.push(text);
    console.log(`\n${text}`);
  };
  tell(
    `${cpus().length} cores, Node ${process.version}; load of the machine before it began: ${load.toFixed(1)}.`,
  );
  for (const size of sizes) {
    const measured = new Map<Contender, Measured>();
    for (const contender of contenders) {
      measured.set(contender, await measure(contender, { kubeconfig, namespaces, size, seconds, cores }));
    }
    const limit = cores === undefined ? "" : `, the operator on ${cores} of a core`;
    tell(`${size.toLocaleString("en")} Applications${limit}:`);
    tell(resultTable(measured.get(platform), measured.get(peer)));
  }
  if (process.env.README === "yes") {
    await writeReadme(cores === undefined ? "bench:operator" : "bench:operator-limited", told.join("\n\n"));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
