import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { systemNamespace } from "../../../src/application/names.ts";
import { apply } from "../../../src/cluster/cluster.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { systemTiming } from "../../../src/cluster/timing.ts";
import { installDirectly } from "../../../src/installation/directly.ts";
import { createInstaller } from "../../../src/installation/installer.ts";
import { installationSubject } from "../../../src/provisioning/installation.ts";
import type { Operation } from "../../../src/provisioning/plan.ts";
import type { RunName } from "../../../src/provisioning/runs/run.ts";
import { newRunName, runObject } from "../../../src/provisioning/runs/run-record.ts";
import { impatient, testStandards } from "../../provisioning/composition.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

let stage: Awaited<ReturnType<typeof sandboxStage>>;
beforeAll(async () => {
  stage = await sandboxStage();
  await installDirectly(stage.cluster, { standards: testStandards, clock: systemTiming });
});
afterAll(() => stage?.close());

/** A run that somebody elsewhere has taken, and whether they still live. */
async function taken(
  operation: Operation,
  service: string,
  { alive }: { readonly alive: boolean },
): Promise<RunName> {
  const { cluster } = stage;
  const name = newRunName("somebody", operation, randomBytes);
  const ref = { namespace: systemNamespace, name };
  const parameters = {};
  const spec = { operation, service, team: "platform", parameters, requestedBy: "somebody" };
  await cluster.create(resources.runs, runObject(name, spec));
  const at = new Date().toISOString();
  const plan = { operation, service, steps: [] };
  const started = { type: "RunStarted", at, epoch: 1, holder: "a@b:1", standardsHash: "", plan };
  const status = { phase: "Running", epoch: 1, holder: "a@b:1", events: [started] };
  await cluster.patch(resources.runs, ref, { type: "merge", body: { status } }, { subresource: "status" });
  const beat = () =>
    apply(cluster, resources.leases, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: ref,
      spec: {
        holderIdentity: "a@b:1",
        leaseDurationSeconds: 2,
        renewTime: new Date().toISOString().replace("Z", "000Z"),
      },
    });
  await beat();
  const over = new AbortController();
  const beating = (async () => {
    while (alive && !over.signal.aborted) {
      await beat();
      await sleep(100);
    }
  })();
  onTestFinished(async () => {
    over.abort();
    await beating;
    await cluster.delete(resources.leases, ref).catch(() => undefined);
    await cluster.delete(resources.runs, ref);
  });
  return name;
}

function installer() {
  return createInstaller({
    cluster: stage.cluster,
    clock: impatient,
    randomBytes,
    holder: "test@here:1",
  });
}

const unfinished = async () => (await stage.cluster.list(resources.runs)).items.length;

test("nothing is uninstalled under a run that somebody executes", async () => {
  const run = await taken("create", "shop", { alive: true });
  await expect(installer().planUninstall()).rejects.toMatchObject({
    kind: "busy",
    message: expect.stringContaining(run),
    mend: expect.stringContaining(`platform run watch ${run}`),
  });
});

test("of two who install, the second is told of the first, and writes nothing", async () => {
  const run = await taken("install", installationSubject, { alive: true });
  const plan = await installer().planInstall({});
  await expect(installer().install(plan, { onFailure: "hold" })).rejects.toMatchObject({
    kind: "busy",
    message: expect.stringContaining(run),
  });
  expect(await unfinished()).toBe(1);
});

test("an installation whose engine is dead is brought to rest, and the next goes on from what is there", async () => {
  const run = await taken("install", installationSubject, { alive: false });
  const plan = await installer().planInstall({ standards: { ...testStandards, organization: "next" } });
  const execution = await installer().install(plan, { onFailure: "rollback" });
  expect((await execution.finished).phase).toBe("Succeeded");
  const first = await stage.cluster.get(resources.runs, { namespace: systemNamespace, name: run });
  expect(first.status).toMatchObject({ phase: "Interrupted" });
});

test("of two who install at the same moment at least one does, and the other is told", async () => {
  const wanted = { standards: { ...testStandards, organization: "both" } };
  const plan = await installer().planInstall(wanted);
  const asked = await Promise.allSettled(
    [1, 2].map(async () => (await installer().install(plan, { onFailure: "rollback" })).finished),
  );
  const phases = asked.map((result) =>
    result.status === "fulfilled" ? result.value.phase : String(Object(result.reason).kind),
  );
  expect(phases).toContain("Succeeded");
  expect(phases.filter((phase) => phase !== "Succeeded").every((phase) => phase === "busy")).toBe(true);
});
