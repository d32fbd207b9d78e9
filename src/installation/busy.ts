import { systemNamespace } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { everyPage } from "../cluster/every-page.ts";
import { resources } from "../cluster/resource.ts";
import { runsOf } from "../provisioning/checks/existence.ts";
import type { Clock } from "../provisioning/clock.ts";
import { atRest } from "../provisioning/engine/decide.ts";
import type { Executor } from "../provisioning/engine/executor.ts";
import { livingHolder } from "../provisioning/engine/heartbeat.ts";
import { ProvisioningError } from "../provisioning/errors.ts";
import { installationSubject } from "../provisioning/installation.ts";
import { withdraw } from "../provisioning/operations/request-run.ts";
import type { RunState } from "../provisioning/runs/run.ts";
import { type RunRecord, readRunForList } from "../provisioning/runs/run-record.ts";
import { verbsOn } from "../provisioning/verbs/verbs-on-runs.ts";

/** Whoever asks for an installation takes it within this time, in milliseconds. */
const takenWithin = 10_000;

/**
 * Makes sure that nobody installs or uninstalls at the same time. A run whose engine is dead is brought to rest: the
 * one that begins now goes on from what is there.
 * @throws ProvisioningError `busy`, nothing written; ClusterError
 */
export async function nobodyElseInstalls(executor: Executor): Promise<void> {
  const { cluster, clock } = executor.options;
  if (!(await cluster.serves(resources.runs))) return;
  for (const { name, state } of await runsOf(cluster, { service: installationSubject })) {
    if (atRest(state)) continue;
    const age = clock.now().getTime() - Date.parse(state.requestedAt);
    if (state.phase === "Pending" && age < takenWithin) throw busy(state, state.requestedBy);
    const holder = await livingHolder(cluster, clock, name);
    if (holder !== undefined) throw busy(state, holder);
    await verbsOn(executor).cancel(name);
  }
}

/**
 * Makes sure that of two who ask at the same time the first goes on: the later one withdraws its request.
 * @throws ProvisioningError `busy`, nothing written; ClusterError
 */
export async function mustBeFirst(cluster: Cluster, own: RunRecord): Promise<void> {
  const version = ({ object }: RunRecord) => Number(object.metadata.resourceVersion);
  const first = (await runsOf(cluster, { service: installationSubject })).find(
    (other) =>
      other.name !== own.name &&
      !atRest(other.state) &&
      (other.state.phase !== "Pending" || version(other) < version(own)),
  );
  if (first === undefined) return;
  await withdraw(cluster, own.name);
  throw busy(first.state, first.state.holder || first.state.requestedBy);
}

/**
 * Makes sure that no run is being executed: whoever executes it counts on the operator, or on the rights that go.
 * @throws ProvisioningError `busy`, nothing written; ClusterError
 */
export async function noRunIsExecuted(cluster: Cluster, clock: Clock): Promise<void> {
  if (!(await cluster.serves(resources.runs))) return;
  const runs = await everyPage(
    (page) => cluster.list(resources.runs, { namespace: systemNamespace, ...page }),
    ({ items }) =>
      items
        .map((item) => readRunForList({ ...item, apiVersion: "platform.company.com/v1", kind: "Run" }))
        .filter((state) => !atRest(state) && state.service !== installationSubject),
  );
  const holders = await Promise.all(
    runs.map(async (state) => ({ state, holder: await livingHolder(cluster, clock, state.name) })),
  );
  for (const { state, holder } of holders) if (holder !== undefined) throw busy(state, holder);
}

function busy({ name, operation, service }: RunState, holder: string): ProvisioningError {
  return new ProvisioningError(
    "busy",
    `run ${name} (${operation} ${service}) is being executed by ${holder}`,
    `wait until it is at rest: platform run watch ${name}`,
  );
}
