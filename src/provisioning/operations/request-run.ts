import { systemNamespace } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { standardsHash } from "../../standards/load.ts";
import { type CheckContext, runChecks } from "../checks/check.ts";
import { noUnfinishedRun } from "../checks/existence.ts";
import { checksFor } from "../checks/index.ts";
import { mustBeConfirmed } from "../checks/protection.ts";
import type { ExecutorOptions, OwnExecution } from "../engine/execution.ts";
import { type Executor, tooOld } from "../engine/executor.ts";
import { ProvisioningError } from "../errors.ts";
import { protectedAtStake } from "../objects/protection.ts";
import type { Operation, Plan } from "../plan.ts";
import type { OnFailure, PlanWithManifests } from "../provisioner.ts";
import type { RunEvent } from "../runs/event.ts";
import type { Execution, RunName } from "../runs/run.ts";
import { newRunName, type RunRecord, type RunSpec, readRun, runObject } from "../runs/run-record.ts";
import { aboutService } from "../runs/service-of-run.ts";
import type { PlanContext } from "../step.ts";
import { checksSummary } from "../steps/preflight.ts";
import { asSeen } from "./as-seen.ts";
import { planFor, stepsFor } from "./plan-for.ts";

/** On a Run that whoever asked for it executes: the operator leaves it to them while it is young. */
export const selfExecutedAnnotation = "platform.company.com/self-executed";

/** Checks while something else is worked out; where both fail, what the checks say is what a person reads. */
async function checkedAnd<T>(
  operation: Operation,
  context: CheckContext,
  by: Execution["by"],
  work: () => Promise<T>,
) {
  const checking = runChecks(checksFor(operation, by), context);
  const working = work().catch(async (error: unknown): Promise<never> => {
    await checking;
    throw error;
  });
  return Promise.all([checking, working]);
}

/** The plan, where the operation would not be refused; what a person should know stands with the checks. */
export async function checkedPlan(
  operation: Operation,
  context: PlanContext,
  by: Execution["by"],
): Promise<PlanWithManifests> {
  const seen = by === "operator" ? asSeen(context.cluster) : undefined;
  const preview = { ...context, preview: true } as const;
  const shown = seen === undefined ? preview : { ...preview, cluster: seen.cluster };
  const [{ warnings }, { plan, ...told }] = await checkedAnd(operation, context, by, () =>
    planFor(operation, shown),
  );
  const steps = plan.steps.map((step) =>
    step.id === "preflight" ? { ...step, notes: [...step.notes, ...warnings] } : step,
  );
  const protectedStores = (await protectedAtStake(shown)).map(({ name }) => name);
  const planned = { plan: { ...plan, steps }, ...told, protectedStores };
  return seen === undefined ? planned : seen.told(planned);
}

/** What is asked for, in its own terms. */
export interface Request {
  readonly operation: Operation;
  readonly context: PlanContext;
  readonly parameters: RunSpec["parameters"];
  /** What becomes of the run where a step fails for good. */
  readonly onFailure: OnFailure;
}

async function specOf(cluster: Cluster, { operation, context, parameters, onFailure }: Request) {
  const { username } = await cluster.whoAmI();
  const { confirmed, application } = context;
  const spec: RunSpec = {
    operation,
    ...aboutService(application.metadata),
    team: application.spec.team,
    parameters: {
      ...parameters,
      ...(confirmed === undefined ? {} : { confirmed }),
      ...(onFailure === usualOnFailure(operation) ? {} : { onFailure }),
    },
    requestedBy: username,
  };
  return spec;
}

/** What becomes of a run of which nobody said it, where a step fails for good; undefined: as the standards say. */
function usualOnFailure(operation: Operation): OnFailure | undefined {
  if (operation === "create") return "rollback";
  return operation === "delete" || operation === "cleanup" || operation === "provision" ? "hold" : undefined;
}

/** What becomes of a run where a step fails for good. */
export function onFailureOf(
  { operation, parameters }: Pick<RunSpec, "operation" | "parameters">,
  { standards }: Pick<ExecutorOptions, "standards">,
): OnFailure {
  return parameters.onFailure ?? usualOnFailure(operation) ?? standards.workload.onUnhealthy;
}

/**
 * Checks what whoever asks may look at, and writes the request; the operator does the rest.
 * @throws ProvisioningError, nothing written; ClusterError
 */
export async function askForRun({ cluster, randomBytes }: ExecutorOptions, asked: Request): Promise<RunName> {
  const { operation, context } = asked;
  const [, spec] = await checkedAnd(operation, context, "operator", () => specOf(cluster, asked));
  await mustBeConfirmed(context);
  const name = newRunName(spec.service, operation, randomBytes);
  await requested(cluster, runObject(name, spec));
  return name;
}

/**
 * Checks, requests the run, makes sure that nobody else was first, and executes it in this process.
 * @throws ProvisioningError, nothing written but a request that was withdrawn; ClusterError
 */
export async function requestRun(executor: Executor, asked: Request): Promise<Execution> {
  const { cluster, randomBytes } = executor.options;
  const { operation, context } = asked;
  const [checked, [spec, { plan }]] = await checkedAnd(operation, context, "this-process", () =>
    Promise.all([specOf(cluster, asked), planFor(operation, context)]),
  );
  await mustBeConfirmed(context);
  const name = newRunName(spec.service, operation, randomBytes);
  const object = runObject(name, spec);
  const annotations = { [selfExecutedAnnotation]: "true" };
  const marked = { ...object, metadata: { ...object.metadata, annotations } };
  const record = readRun(await requested(cluster, marked));
  await mustBeFirst(operation, { ...context, run: name });
  const starting = begin(executor, record, { ...asked, plan, checked });
  return starting.catch(async (error: unknown) => {
    if (error instanceof ProvisioningError) await withdraw(cluster, name);
    throw error;
  });
}

/**
 * Executes a request that another process wrote, once everything that it needs has been asked.
 * @param context - worked out from the request, and from what is there now
 * @throws ProvisioningError, nothing written; JournalError where somebody else took it first; ClusterError
 */
export async function takeRequest(
  executor: Executor,
  record: RunRecord,
  context: PlanContext,
): Promise<OwnExecution> {
  const { operation } = record.spec;
  const [checked, { plan }] = await checkedAnd(
    operation,
    { ...context, run: record.name },
    "this-process",
    () => planFor(operation, context),
  );
  await mustBeConfirmed(context);
  const onFailure = onFailureOf(record.spec, executor.options);
  return begin(executor, record, { operation, context, onFailure, plan, checked });
}

function begin(
  executor: Executor,
  record: RunRecord,
  {
    operation,
    context,
    onFailure,
    plan,
    checked: { count, warnings },
  }: Omit<Request, "parameters"> & {
    readonly plan: Plan;
    readonly checked: Awaited<ReturnType<typeof runChecks>>;
  },
): Promise<OwnExecution> {
  return executor.execute({
    record,
    context,
    steps: stepsFor(operation, context),
    onFailure,
    actor: record.spec.requestedBy,
    done: new Map([["preflight", { summary: checksSummary(count), warnings }]]),
    first: (epoch, at) => [runStarted(executor.options, plan, epoch, at)],
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

/** Takes back a request that nobody has taken. */
export async function withdraw(cluster: Cluster, run: RunName): Promise<void> {
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
