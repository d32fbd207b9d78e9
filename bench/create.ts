/**
 * Time to write all objects of a new service: `platform service create`, journal, checks, Git repository and
 * verification included, beside `kubectl apply --server-side` of the same objects. The two take turns; the figure
 * to quote is the ratio. Pods get ready by themselves on the test control plane, so waiting is reported apart.
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

/** Spawn to the last effect recorded, in milliseconds: everything is written, readiness may be outstanding. */
async function createService(name: string): Promise<{ readonly written: number; readonly finished: number }> {
  const [file, ...args] = program;
  const startedAt = Date.now();
  const { stdout } = await execa(
    file,
    [...args, ...flags, "service", "create", name, "--language", "go", "--yes", "-o", "json"],
    {
      stdin: "ignore",
    },
  );
  const finished = Date.now() - startedAt;
  const recorded = stdout
    .split("\n")
    .filter((line) => line.includes('"EffectsRecorded"'))
    .flatMap((line) => [...line.matchAll(/"at":"([^"]+)"/g)].map((match) => Date.parse(match[1] ?? "")));
  return { written: Math.max(...recorded) - startedAt, finished };
}

async function remove(namespaces: readonly string[]): Promise<void> {
  await execa("kubectl", [
    "--kubeconfig",
    kubeconfig,
    "delete",
    "namespace",
    ...namespaces,
    "--ignore-not-found",
    "--wait=false",
  ]);
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
    made.push(`app-${name}`, `app-${twin}`);
    const manifests = join(folder, `${twin}.yaml`);
    const { stdout } = await execa(program[0], [
      program[1],
      ...flags,
      "service",
      "create",
      twin,
      "--language",
      "go",
      "--dry-run",
      "-o",
      "yaml",
    ]);
    const documents = parseAllDocuments(stdout).map((document) => document.toJS());
    objects = documents.length;
    await writeFile(manifests, documents.map((document) => stringify(document)).join("---\n"));
    const created = await createService(name);
    const applied = await timeProcess([
      "kubectl",
      "--kubeconfig",
      kubeconfig,
      "apply",
      "--server-side",
      "-f",
      manifests,
    ]);
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
