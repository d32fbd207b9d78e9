/**
 * Time of `platform service rollback` to the release before, from spawn: until the old release is written and the
 * program has told so, which it does once that is journaled; and until the rollout is healthy and verified, which the
 * cluster decides. Between the two the program waits.
 *
 *     PLATFORM_TEST_KUBECONFIG=… npm run bench:rollback -- [rounds, 7]
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { benchKubeconfig, program } from "./cluster.ts";
import { markdownTable, median, milliseconds } from "./statistics.ts";

const rounds = Number(process.argv[2] ?? 7);
const kubeconfig = benchKubeconfig();
const folder = await mkdtemp(join(tmpdir(), "platform-bench-"));
const service = `back${Date.now().toString(36)}`;
const [file, ...script] = program;
const command = (...words: readonly string[]) => [...script, "--kubeconfig", kubeconfig, ...words];
const platform = (...words: readonly string[]) => execa(file, command(...words), { stdin: "ignore" });
const image = (number: number) => `registry.example.internal/app@sha256:${String(number).padStart(64, "0")}`;

/** Milliseconds from spawn. */
async function rollBack(): Promise<{ readonly written: number; readonly verified: number }> {
  const started = performance.now();
  let written = Number.NaN;
  const words = command("service", "rollback", service, "--yes", "-o", "json");
  const running = execa(file, words, { stdin: "ignore", buffer: false });
  for await (const line of running) {
    if (line.includes('"EffectsRecorded"')) written = performance.now() - started;
  }
  await running;
  return { written, verified: performance.now() - started };
}

try {
  const standards = join(folder, "platform.yaml");
  await writeFile(
    standards,
    stringify({
      delivery: { host: `file://${folder}/repositories` },
      images: { starter: "registry.example.internal/platform:1" },
    }),
  );
  await platform("install", "--standards", standards, "--yes");
  await platform("service", "create", service, "--language", "go", "--replicas", "1", "--yes");
  const written: number[] = [];
  const verified: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    await platform("service", "deploy", service, "--image", image(round), "--yes");
    const took = await rollBack();
    if (round === 0) continue; // warm-up
    written.push(took.written);
    verified.push(took.verified);
  }
  const row = (title: string, took: readonly number[]) => [
    title,
    milliseconds(median(took)),
    milliseconds(Math.max(...took)),
  ];
  console.log(`${rounds} rollbacks to the release before, from spawn:\n`);
  console.log(
    markdownTable(
      ["until", "median", "worst"],
      [row("written and journaled: our own work", written), row("rolled out and verified", verified)],
    ),
  );
} finally {
  await platform("service", "delete", service, "--data-stores", "delete", "--confirm", service, "--yes");
  await execa("kubectl", [
    ...["--kubeconfig", kubeconfig, "-n", "platform-system", "delete", "runs.platform.company.com"],
    ...["-l", `platform.company.com/service=${service}`],
  ]);
  await rm(folder, { recursive: true, force: true });
}
