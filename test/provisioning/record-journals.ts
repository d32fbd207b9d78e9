import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { serviceNameSchema } from "../../src/application/names.ts";
import { type ServiceRequest, serviceRequestSchema } from "../../src/application/request.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { ClusterError } from "../../src/cluster/errors.ts";
import { isKubeObject } from "../../src/cluster/json.ts";
import { resources } from "../../src/cluster/resource.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import type { RunEvent } from "../../src/provisioning/runs/event.ts";
import type { Execution, RunName, RunState } from "../../src/provisioning/runs/run.ts";
import { readRun, runName, runObject } from "../../src/provisioning/runs/run-record.ts";
import { askAction } from "../../src/provisioning/verbs/ask-action.ts";
import { composition } from "./composition.ts";
import { essence } from "./essence.ts";
import { faulty, faultyHost, forwarding } from "./fault.ts";
import { operating } from "./operating.ts";
import { sandboxStage } from "./sandbox-stage.ts";

// Records real runs on a sandbox for `test/journals`: node test/provisioning/record-journals.ts test/journals/v3
// What is there already is never recorded again: it is what older programs wrote.
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("say where to");
const out = folder;
await mkdir(out, { recursive: true });
const stage = await sandboxStage();
const { cluster } = stage;
const made = await composition(cluster);
const repositories = new URL(made.codeHost.urlOf("platform", "x")).pathname.replace(/\/platform\/x.*$/, "");
const holder = "ann@laptop:4711";
const ann = made.provisioner({ holder });
const ben = made.provisioner({ holder: "ben@desk:815" });
const by = (faults: { readonly cluster?: Cluster; readonly codeHost?: typeof made.codeHost }) =>
  made.provisioner({ holder, ...faults });
const named = (name: string) => serviceNameSchema.parse(name);
const full = (name: string): ServiceRequest =>
  serviceRequestSchema.parse({
    name,
    language: "go",
    replicas: 3,
    database: "postgres",
    cache: "redis",
  });
const small = (name: string): ServiceRequest =>
  serviceRequestSchema.parse({ name, language: "typescript", replicas: 1 });

async function save(run: RunName, as: string): Promise<void> {
  const object = await cluster.get(resources.runs, { namespace: "platform-system", name: run });
  const { managedFields: _, ...metadata } = object.metadata;
  const text = JSON.stringify({ ...object, metadata }).replaceAll(repositories, "/repositories");
  const recorded: unknown = JSON.parse(text);
  if (!isKubeObject(recorded)) throw new Error(`${run} is no object`);
  const { state } = readRun(recorded);
  await writeFile(
    join(out, `${as}.json`),
    `${JSON.stringify({ run: recorded, expected: essence(state) })}\n`,
  );
  process.stdout.write(`${as}: ${state.phase}, ${text.length} bytes\n`);
}

/** To its rest, or to the loss of its journal; then recorded. */
async function recorded(starting: Promise<Execution>, as: string): Promise<RunState> {
  const execution = await starting;
  await execution.finished.catch(() => {});
  await save(execution.name, as);
  return execution.state;
}

function happened(execution: Execution, is: (event: RunEvent) => boolean): Promise<void> {
  return new Promise((resolve) => execution.subscribe((event) => is(event) && resolve()));
}

const hold = { onFailure: "hold" } as const;
const back = { onFailure: "rollback" } as const;

await recorded(ann.create(full("created"), back), "create-succeeded");
const change = { ...hold, dataStores: "keep" } as const;
const created = named("created");
await recorded(ann.change(created, { operation: "scale", replicas: 2 }, change), "scale-succeeded");
const image = `registry.example.internal/platform/created@sha256:${"a".repeat(64)}`;
await recorded(
  ann.change(created, { operation: "deploy", image, commit: "abc1234" }, change),
  "deploy-succeeded",
);
await recorded(ann.rotate(created, "database", hold), "rotate-succeeded");
const slipping = faulty(cluster, { step: "prove_credentials", write: 1, time: "before", times: 1 });
await recorded(by({ cluster: slipping }).rotate(created, "cache", back), "rotate-rolled-back");
await recorded(
  ann.change(created, { operation: "set", alerts: [], cache: "none" }, change),
  "set-without-cache",
);
const reverted = await recorded(
  ann.change(created, { operation: "rollback", release: 1 }, change),
  "release-rollback",
);
await recorded(ben.rollback(reverted.name, { dataStores: "keep-used" }), "release-rollback-rolled-back");
const sick = faulty(cluster, { step: "apply_kubernetes", write: 2, time: "after", times: 1 });
await recorded(
  by({ cluster: sick }).change(created, { operation: "scale", replicas: 3 }, { ...back, dataStores: "keep" }),
  "scale-failed-rolled-back",
);
await recorded(ann.delete(created, { dataStores: "keep-used" }), "delete-kept-data");
await recorded(ann.delete(created, { dataStores: "delete", confirmed: created }), "delete-all");

const stumbling = faulty(cluster, { step: "apply_kubernetes", write: 2, time: "after", times: 1 });
await recorded(by({ cluster: stumbling }).create(full("failed"), back), "create-failed-rolled-back");

const noPush = faultyHost(made.codeHost, { write: 2, time: "before" });
const held = await recorded(by({ codeHost: noPush }).create(full("held"), hold), "create-held");
await recorded(ben.retry(held.name, { ...hold, skip: ["configure_cicd"] }), "create-held-skipped");

const lossy = faulty(
  cluster,
  { step: "provision_database", write: 1, time: "after", times: 3 },
  "unreachable",
);
await recorded(by({ cluster: lossy }).create(full("lossy"), hold), "create-answers-lost");

const stopped = await ann.create(full("stopped"), back);
await happened(stopped, (event) => event.type === "EffectsRecorded" && event.step === "provision_database");
await ben.cancel(stopped.name);
await save(stopped.name, "create-cancelled");
await recorded(ben.resume(stopped.name, back), "create-cancelled-resumed");

const orphaned = await recorded(ann.create(small("orphaned"), hold), "create-small");
const stubborn: Cluster = {
  ...forwarding(cluster),
  delete: async (resource, ref, options) => {
    if (options?.step === "setup_monitoring" || resource.plural === "namespaces") {
      throw new ClusterError("forbidden", "denied the request: a guardrail", { status: 403 });
    }
    return cluster.delete(resource, ref, options);
  },
};
const undo = { dataStores: "keep-used" } as const;
await recorded(by({ cluster: stubborn }).rollback(orphaned.name, undo), "rollback-failed");
let refusals = 3;
const busy: Cluster = {
  ...forwarding(cluster),
  delete: async (resource, ref, options) => {
    refusals -= 1;
    if (refusals > 0) throw new ClusterError("server", "etcdserver: leader changed", { status: 500 });
    return cluster.delete(resource, ref, options);
  },
};
await recorded(
  made.provisioner({ holder: "ben@desk:815", cluster: busy }).retry(orphaned.name, hold),
  "rollback-failed-retried",
);

let dead = false;
const check = async <T>(step: string | undefined, call: () => Promise<T>): Promise<T> => {
  if (step === "apply_kubernetes") dead = true;
  if (dead) throw new Error("the process is gone");
  return call();
};
const dying: Cluster = {
  ...forwarding(cluster),
  create: (resource, object, options) =>
    check(options?.step, () => cluster.create(resource, object, options)),
  replace: (resource, object, options) =>
    check(options?.step, () => cluster.replace(resource, object, options)),
  patch: (resource, ref, patch, options) =>
    check(options?.step, () => cluster.patch(resource, ref, patch, options)),
};
const vanished = await recorded(by({ cluster: dying }).create(full("vanished"), back), "create-vanished");
await recorded(ben.rollback(vanished.name, undo), "create-vanished-rolled-back");

const operator = await operating(cluster, made, { name: "one" });
const asking = made.provisioner({ clock: systemTiming });
const byOperator = await recorded(asking.create(small("asked"), back), "create-by-operator");
await asking.cancel(byOperator.name).catch(() => {});
await askAction(cluster, byOperator.name, "retry");
for await (const state of asking.watch(byOperator.name, AbortSignal.timeout(20_000))) {
  if (state.refusal !== undefined) break;
}
await save(byOperator.name, "create-action-refused");
const [first, second] = await Promise.allSettled([
  asking.create(small("twice"), back),
  asking.create(small("twice"), back),
]);
for (const each of [first, second]) if (each.status === "fulfilled") await each.value.finished;
const refused = (await asking.list({ service: named("twice") })).find(({ phase }) => phase === "Refused");
if (refused !== undefined) await save(refused.name, "create-refused");
const handedOver = await asking.create(full("handed"), back);
await happened(
  handedOver,
  (event) => event.type === "EffectsRecorded" && event.step === "provision_database",
);
await operator.stop();
await save(handedOver.name, "create-released");
await recorded(ben.resume(handedOver.name, back), "create-released-resumed");

const pending = await cluster.create(
  resources.runs,
  runObject(runName("pending-create-7f3k2"), {
    operation: "create",
    service: "pending",
    team: "platform",
    parameters: { request: full("pending") },
    requestedBy: "ann",
  }),
);
await save(runName(pending.metadata.name), "create-pending");
await made.close();
await stage.close();
