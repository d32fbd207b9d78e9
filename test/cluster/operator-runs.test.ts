import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { namespaceOf, serviceNameSchema } from "../../src/application/names.ts";
import { serviceRequestSchema } from "../../src/application/request.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { isClusterError } from "../../src/cluster/errors.ts";
import { find } from "../../src/cluster/find.ts";
import { resources } from "../../src/cluster/resource.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import type { Provisioner } from "../../src/provisioning/provisioner.ts";
import type { RunName, RunState } from "../../src/provisioning/runs/run.ts";
import { readRun } from "../../src/provisioning/runs/run-record.ts";
import { loadStandards } from "../../src/standards/load.ts";
import { type Composition, composition } from "../provisioning/composition.ts";
import { skipped, testConnection, uniqueName } from "./connection.ts";
import { installed, until, withOperator } from "./installed.ts";

const connection = testConnection();
if (connection === undefined) console.warn(skipped);

/** Everybody has the shipped roles and no others; the operator is its ServiceAccount, in a process of its own. */
describe.skipIf(connection === undefined)("runs by the operator, on a real API server", () => {
  const team = uniqueName("runs");
  const services: string[] = [];
  const operators: ChildProcess[] = [];
  let folder: string;
  let path: string;
  let admin: Cluster;
  let developer: Cluster;
  let oncall: Cluster;
  let composed: Composition;
  let ann: Provisioner;
  let olga: Provisioner;

  beforeAll(async () => {
    if (connection?.kind !== "kubeconfig" || connection.path === undefined) return;
    folder = await mkdtemp(join(tmpdir(), "platform-operator-runs-"));
    path = join(folder, "kubeconfig");
    const as = (context: string) => connect({ kind: "kubeconfig", path: connection.path ?? "", context });
    [admin, developer, oncall] = await Promise.all([as("admin"), as("developer"), as("oncall")]);
    await installed(admin, team);
    await writeFile(path, await withOperator(connection.path));
    composed = await composition(admin, folder);
    const standards = await loadStandards(developer);
    const provisioner = (cluster: Cluster) =>
      composed.provisioner({ cluster, standards, clock: systemTiming, holder: "laptop" });
    ann = provisioner(developer);
    olga = provisioner(oncall);
    await startOperator("one");
  }, 180_000);

  afterAll(async () => {
    for (const operator of operators) operator.kill("SIGKILL");
    if (admin !== undefined) {
      await Promise.all(services.map((service) => removed(admin, service)));
      await admin
        .delete(resources.leases, { namespace: "platform-system", name: "platform-operator" })
        .catch(() => {});
      await admin.patch(
        resources.standards,
        { name: "platform" },
        { type: "merge", body: { spec: { teams: { [team]: null } } } },
      );
    }
    for (const cluster of [admin, developer, oncall]) await cluster?.close();
    await rm(folder, { recursive: true, force: true });
  }, 120_000);

  async function startOperator(name: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, ["test/provisioning/operating-process.ts", path, folder, name], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    operators.push(child);
    if (child.stdout === null) throw new Error("no output");
    await once(child.stdout, "data");
    return child;
  }

  async function atRest(run: RunName): Promise<RunState> {
    for await (const state of olga.watch(run, AbortSignal.timeout(120_000))) {
      if (!["Pending", "Running", "RollingBack"].includes(state.phase)) return state;
    }
    throw new Error(`${run} does not come to rest`);
  }

  function asked(over: Readonly<Record<string, unknown>> = {}) {
    const name = uniqueName("op");
    services.push(name);
    return serviceRequestSchema.parse({ name, team, language: "go", replicas: 1, exposure: "none", ...over });
  }

  test("a developer creates, scales and deletes a service; on-call rolls back", async () => {
    const request = asked({ database: "postgres" });
    const service = serviceNameSchema.parse(request.name);
    await expect(ann.planCreate(request)).resolves.toMatchObject({ plan: { operation: "create" } });
    const creation = await ann.create(request, { onFailure: "rollback" });
    expect(await creation.finished).toMatchObject({
      phase: "Succeeded",
      holder: "operator@one",
      requestedBy: "developer",
    });

    const scaling = await ann.change(service, { operation: "scale", replicas: 2 }, { dataStores: "keep" });
    expect(await scaling.finished).toMatchObject({ phase: "Succeeded", requestedBy: "developer" });

    // Who may not is told so, and by whom it can be done.
    await expect(ann.rollback(scaling.name, { dataStores: "keep-used" })).rejects.toMatchObject({
      kind: "rights",
      mend: expect.stringContaining("on-call"),
    });
    await expect(olga.previewRollback(scaling.name, "keep-used")).resolves.toMatchObject({
      destroysData: false,
    });
    const undoing = await olga.rollback(scaling.name, { dataStores: "keep-used" });
    expect(await undoing.finished).toMatchObject({ phase: "RolledBack", rollback: { by: "oncall" } });

    const planned = await ann.planDelete(service, "delete");
    expect(planned.protectedStores).toEqual([`${service}-db`]);
    const deletion = await ann.delete(service, { dataStores: "delete", confirmed: service });
    expect(await deletion.finished).toMatchObject({ phase: "Succeeded", requestedBy: "developer" });
    expect(await find(admin, resources.namespaces, { name: namespaceOf(service) })).toBeUndefined();
  });

  test("an operator that is killed in mid-run: the next goes on, and makes nothing twice", async () => {
    const request = asked({ database: "postgres", cache: "redis" });
    const creation = await ann.create(request, { onFailure: "rollback" });
    const victim = operators.at(-1);
    const killed = Promise.withResolvers<void>();
    creation.subscribe((event) => {
      if (event.type !== "EffectsRecorded" || event.step === "create_namespace") return;
      victim?.kill("SIGKILL");
      killed.resolve();
    });
    await killed.promise;
    // Whoever asked need not be there any more: this one follows it from anew.
    await startOperator("two");
    const finished = await atRest(creation.name);
    expect(finished).toMatchObject({ phase: "Succeeded", holder: "operator@two" });
    const { events } = readRun(
      await admin.get(resources.runs, { namespace: "platform-system", name: creation.name }),
    );
    const takings = events.filter(({ type }) => type === "RunStarted" || type === "RunTaken");
    expect(takings.map((event) => ("epoch" in event ? event.epoch : 0))).toEqual([1, 2]);
    const made = events.flatMap((event) => (event.type === "EffectsRecorded" ? event.results : []));
    const created = made.flatMap(({ effect, outcome, uid }) =>
      outcome === "created" && effect.kind === "object"
        ? [{ what: `${effect.type} ${effect.namespace}/${effect.name}`, uid }]
        : [],
    );
    const uids = Map.groupBy(created, ({ what }) => what);
    for (const [what, each] of uids) expect(new Set(each.map(({ uid }) => uid)).size, what).toBe(1);
  });

  test("an operator that is stopped in good order leaves its runs to the next at once", async () => {
    const request = asked();
    const creation = await ann.create(request, { onFailure: "rollback" });
    const old = operators.at(-1);
    old?.kill("SIGTERM");
    await startOperator("three");
    expect(await atRest(creation.name)).toMatchObject({ phase: "Succeeded" });
    const { events } = readRun(
      await admin.get(resources.runs, { namespace: "platform-system", name: creation.name }),
    );
    const holders = events.flatMap((event) =>
      event.type === "RunStarted" || event.type === "RunTaken" ? [event.holder] : [],
    );
    expect([["operator@two", "operator@three"], ["operator@two"]]).toContainEqual(holders);
    if (holders.length === 2) expect(events.map(({ type }) => type)).toContain("RunReleased");
  });

  test("without an operator a developer is refused, and told whom to ask; nothing is written", async () => {
    operators.at(-1)?.kill("SIGTERM");
    const request = asked();
    await until("the operator has given its Lease back", async () => {
      const lease = await find(admin, resources.leases, {
        namespace: "platform-system",
        name: "platform-operator",
      });
      const { holderIdentity } = z
        .looseObject({ holderIdentity: z.string().nullish() })
        .parse(lease?.spec ?? {});
      return (holderIdentity ?? "") === "";
    });
    await expect(ann.create(request, { onFailure: "rollback" })).rejects.toMatchObject({
      kind: "rights",
      message: expect.stringContaining("no operator is running"),
    });
    expect(await ann.list({ service: serviceNameSchema.parse(request.name) })).toEqual([]);
  });
});

async function removed(admin: Cluster, service: string): Promise<void> {
  const quietly = (error: unknown) => {
    if (!isClusterError(error, "not-found")) throw error;
  };
  const namespace = namespaceOf(serviceNameSchema.parse(service));
  await admin.delete(resources.namespaces, { name: namespace }).catch(quietly);
  const labelSelector = `platform.company.com/service=${service}`;
  const { items } = await admin.listMetadata(resources.runs, { namespace: "platform-system", labelSelector });
  for (const { metadata } of items) {
    await admin.delete(resources.runs, { namespace: "platform-system", name: metadata.name }).catch(quietly);
  }
}
