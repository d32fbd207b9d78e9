import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serviceNameSchema } from "../../../src/application/names.ts";
import type { RunName } from "../../../src/provisioning/runs/run.ts";
import { runName } from "../../../src/provisioning/runs/run-record.ts";
import { inventory } from "../../cluster/inventory.ts";
import { composition } from "../../provisioning/composition.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

let folder: string;
let stage: Awaited<ReturnType<typeof sandboxStage>>;
let made: Awaited<ReturnType<typeof composition>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "platform-killed-"));
  stage = await sandboxStage(join(folder, "cluster"));
  made = await composition(stage.cluster, join(folder, "git"));
});
afterAll(async () => {
  await stage?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Starts a creation in a process of its own and kills it (SIGKILL) right after this event. */
async function killedAfter(service: string, event: string): Promise<RunName> {
  const script = new URL("../../provisioning/creating-process.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, join(folder, "cluster"), join(folder, "git"), service], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let name: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const [run, ...rest] = line.split(" ");
    if (rest.join(" ").trim() !== event) continue;
    child.kill("SIGKILL");
    name = run;
    break;
  }
  await ended;
  if (name === undefined) throw new Error(`the process ended before ${event}`);
  return runName(name);
}

test.each([
  "EffectsIntended create_namespace",
  "EffectsRecorded provision_database",
  "StepStarted apply_kubernetes",
])("killed after %s, another process rolls the run back to nothing, at once", async (event) => {
  const service = serviceNameSchema.parse(`killed-${event.split(" ")[1]?.replaceAll("_", "-")}`);
  const run = await killedAfter(service, event);
  const provisioner = made.provisioner({ holder: "other@here:2" });
  expect((await provisioner.get(run)).phase).toBe("Running");
  const state = await (await provisioner.rollback(run, { dataStores: "keep-used" })).finished;
  expect(state.phase, JSON.stringify(state.steps.map(({ id, error }) => [id, error]))).toBe("RolledBack");
  const left = [...(await inventory(stage.cluster, { about: service })).keys()];
  expect(left.filter((key) => !key.startsWith("runs."))).toEqual([]);
});

test("killed in the middle, a run goes on in another process and ends as if nothing had happened", async () => {
  const service = serviceNameSchema.parse("killed-resumed");
  const run = await killedAfter(service, "EffectsIntended provision_database");
  const provisioner = made.provisioner({ holder: "other@here:2" });
  const state = await (await provisioner.retry(run, { onFailure: "rollback" })).finished;
  expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
  expect(state.epoch).toBe(2);
  const undone = await (await provisioner.rollback(run, { dataStores: "delete", confirmed: service }))
    .finished;
  expect(undone.phase).toBe("RolledBack");
  const left = [...(await inventory(stage.cluster, { about: service })).keys()];
  expect(
    left.filter((key) => !key.startsWith("runs.") && !key.startsWith("volumesnapshotcontents.")),
  ).toEqual([]);
});
