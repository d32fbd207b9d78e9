/**
 * Time to write all objects of a new service: `platform service create` with its checks, its journal and the Git
 * repository, beside `kubectl apply --server-side` of the same objects, whose discovery cache is warm. The two take
 * turns; the figure to quote is the ratio. Pods get ready by themselves on the test control plane, so the time until
 * the service is verified is reported apart.
 *
 *     PLATFORM_TEST_KUBECONFIG=… npm run bench:create
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parseAllDocuments, stringify } from "yaml";
import { benchKubeconfig, program, timeProcess } from "./cluster.ts";
import { markdownTable, median, medianRatio, milliseconds } from "./statistics.ts";

const rounds = Number(process.env.ROUNDS ?? 7);
const kubeconfig = benchKubeconfig();
const folder = await mkdtemp(join(tmpdir(), "platform-bench-"));
const flags = ["--kubeconfig", kubeconfig];

/** Milliseconds from spawn until the program has told its last effect, which it does once that is journaled, and until it ends. */
async function createService(name: string): Promise<{ readonly written: number; readonly finished: number }> {
  const [file, ...args] = program;
  const started = performance.now();
  let written = Number.NaN;
  const creating = execa(
    file,
    [...args, ...flags, "service", "create", name, "--language", "go", "--yes", "-o", "json"],
    { stdin: "ignore", buffer: false },
  );
  for await (const line of creating) {
    if (line.includes('"EffectsRecorded"')) written = performance.now() - started;
  }
  await creating;
  return { written, finished: performance.now() - started };
}

/** The manifests of a service as `platform` would write them. */
async function manifestsOf(name: string): Promise<string> {
  const [file, ...args] = program;
  const request = ["service", "create", name, "--language", "go", "--dry-run", "-o", "yaml"];
  const { stdout } = await execa(file, [...args, ...flags, ...request]);
  return stdout;
}

/** Namespaces go in the background, runs at once. */
async function remove(services: readonly string[]): Promise<void> {
  const kubectl = (...args: string[]) => execa("kubectl", [...flags, ...args, "--ignore-not-found"]);
  await kubectl("delete", "namespace", ...services.map((name) => `app-${name}`), "--wait=false");
  const selector = `platform.company.com/service in (${services.join(",")})`;
  await kubectl("delete", "runs.platform.company.com", "-n", "platform-system", "-l", selector);
}

const made: string[] = [];
try {
  const standards = join(folder, "platform.yaml");
  await writeFile(
    standards,
    stringify({
      delivery: { host: `file://${folder}/repositories` },
      images: { starter: "registry.example.internal/platform:1" },
    }),
  );
  await execa(program[0], [program[1], ...flags, "install", "--standards", standards, "--yes"]);
  const ours: number[] = [];
  const whole: number[] = [];
  const theirs: number[] = [];
  let objects = 0;
  for (let round = 0; round <= rounds; round++) {
    const name = `bench-${process.pid}-${round}`;
    const twin = `bench-${process.pid}-${round}-kubectl`;
    made.push(name, twin);
    const manifests = join(folder, `${twin}.yaml`);
    const text = await manifestsOf(twin);
    objects = parseAllDocuments(text).length;
    await writeFile(manifests, text);
    const apply = () => timeProcess(["kubectl", ...flags, "apply", "--server-side", "-f", manifests]);
    // Whoever comes second finds a warmer server: in turn.
    const early = round % 2 === 1 ? await apply() : undefined;
    const created = await createService(name);
    const applied = early ?? (await apply());
    if (round === 0) continue; // warm-up
    ours.push(created.written);
    whole.push(created.finished);
    theirs.push(applied);
  }
  console.log(`${rounds} rounds in turn, ${objects} objects each, medians:\n`);
  console.log(
    markdownTable(
      ["", "time", "beside kubectl"],
      [
        [
          "`platform service create`, all written and journaled",
          milliseconds(median(ours)),
          medianRatio(ours, theirs).toFixed(2),
        ],
        ["the same, ready and verified", milliseconds(median(whole)), medianRatio(whole, theirs).toFixed(2)],
        ["`kubectl apply --server-side` of the same objects", milliseconds(median(theirs)), "1"],
      ],
    ),
  );
} finally {
  await remove(made);
  await rm(folder, { recursive: true, force: true });
}
