import { systemNamespace } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import { standardsHash } from "../standards/load.ts";
import { type CheckContext, runChecks } from "./checks/check.ts";
import { noUnfinishedRun } from "./checks/existence.ts";
import { checks } from "./checks/index.ts";
import { mustBeConfirmed } from "./checks/protection.ts";
import { ProvisioningError } from "./errors.ts";
import type { RunEvent } from "./event.ts";
import type { ExecutorOptions } from "./execution.ts";
import { type Executor, tooOld } from "./executor.ts";
import { planFor, stepsFor } from "./operation.ts";
import type { Operation, Plan } from "./plan.ts";
import { protectedAtStake } from "./protection.ts";
import type { OnFailure, PlanWithManifests } from "./provisioner.ts";
import type { Execution, RunName } from "./run.ts";
import { newRunName, type RunSpec, readRun, runObject } from "./run-record.ts";
import type { PlanContext } from "./step.ts";
import { checksSummary } from "./steps/preflight.ts";

/** Checks while something else is worked out; where both fail, what the checks say is what a person reads. */
async function checkedAnd<T>(operation: Operation, context: PlanContext, work: () => Promise<T>) {
  const checking = runChecks(checks[operation], context);
  const working = work().catch(async (error: unknown): Promise<never> => {
    await checking;
    throw error;
  });
  return Promise.all([checking, working]);
}

/** The plan, where the operation would not be refused; what a person should know stands with the checks. */
export async function checkedPlan(operation: Operation, context: PlanContext): Promise<PlanWithManifests> {
  const [{ warnings }, { plan, manifests, diff }] = await checkedAnd(operation, context, () =>
    planFor(operation, context),
  );
  const steps = plan.steps.map((step) =>
    step.id === "preflight" ? { ...step, notes: [...step.notes, ...warnings] } : step,
  );
  const protectedStores = (await protectedAtStake(context)).map(({ name }) => name);
  return { plan: { ...plan, steps }, manifests, diff, protectedStores };
}

/**
 * Checks, requests the run, makes sure that nobody else was first, and executes it.
 * @throws ProvisioningError, nothing written but a request that was withdrawn; ClusterError
 */
export async function requestRun(
  executor: Executor,
  operation: Operation,
  context: PlanContext,
  parameters: RunSpec["parameters"],
  onFailure: OnFailure,
): Promise<Execution> {
  const { cluster, randomBytes } = executor.options;
  const [{ count, warnings }, [{ username }, { plan }]] = await checkedAnd(operation, context, () =>
    Promise.all([cluster.whoAmI(), planFor(operation, context)]),
  );
  await mustBeConfirmed(context);
  const spec: RunSpec = {
    operation,
    service: context.request.name,
    team: context.application.spec.team,
    parameters: {
      ...parameters,
      ...(context.confirmed === undefined ? {} : { confirmed: context.confirmed }),
    },
    requestedBy: username,
  };
  const name = newRunName(context.request.name, operation, randomBytes);
  const record = readRun(await requested(cluster, runObject(name, spec)));
  await mustBeFirst(operation, { ...context, run: name });
  const starting = executor.execute({
    record,
    context,
    steps: stepsFor(operation, context),
    onFailure,
    actor: username,
    done: new Map([["preflight", { summary: checksSummary(count), warnings }]]),
    first: (epoch, at) => [runStarted(executor.options, plan, epoch, at)],
  });
  return starting.catch(async (error: unknown) => {
    if (error instanceof ProvisioningError) await withdraw(cluster, name);
    throw error;
  });
}

/** The event with which an engine takes a run that nobody has taken before. */
export function runStarted(
  { holder, standards }: Pick<ExecutorOptions, "holder" | "standards">,
  plan: Plan,
  epoch: number,
  at: string,
): RunEvent {
  return { type: "RunStarted", at, epoch, holder, standardsHash: standardsHash(standards), plan };
}

/** A request of which nothing else was written. */
async function withdraw(cluster: Cluster, run: RunName): Promise<void> {
  await cluster.delete(resources.runs, { namespace: systemNamespace, name: run });
}

/** @throws ProvisioningError `refused` where the platform on the cluster is older than this program */
async function requested(cluster: Cluster, run: KubeObject): Promise<KubeObject> {
  try {
    return await cluster.create(resources.runs, run);
  } catch (error) {
    throw tooOld(cluster, error) ?? error;
  }
}

/** Of two who ask at the same time, the later withdraws: it has written nothing but its request. */
async function mustBeFirst(operation: Operation, context: CheckContext & { readonly run: RunName }) {
  const outcome = await noUnfinishedRun(operation)(context);
  if (!(outcome instanceof ProvisioningError)) return;
  await withdraw(context.cluster, context.run);
  throw outcome;
}
