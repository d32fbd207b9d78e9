import { labels, type ServiceName, systemNamespace } from "../application/names.ts";
import type { ServiceRequest } from "../application/request.ts";
import { isClusterError } from "../cluster/errors.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import { standardsHash } from "../standards/load.ts";
import { type CheckContext, runChecks } from "./checks/check.ts";
import { noUnfinishedRun, runsOf } from "./checks/existence.ts";
import { checks } from "./checks/index.ts";
import { mustBeConfirmed, rollbackMayDestroy } from "./checks/protection.ts";
import { observeRun } from "./compensate.ts";
import { atRest, isOver } from "./decide.ts";
import { JournalError, ProvisioningError } from "./errors.ts";
import { type ExecutorOptions, startExecution } from "./execution.ts";
import { livingHolder, observeHolder } from "./heartbeat.ts";
import { isInstalled } from "./installed.ts";
import { readLog } from "./log-archive.ts";
import { lostSteps } from "./lost-steps.ts";
import {
  changeContext,
  cleanupContext,
  contextOf,
  createContext,
  deleteContext,
  planFor,
  stepsFor,
} from "./operation.ts";
import { createOrphans } from "./orphans/create-orphans.ts";
import type { Operation, StepId } from "./plan.ts";
import { protectedAtStake } from "./protection.ts";
import type { OnFailure, PlanWithManifests, Provisioner } from "./provisioner.ts";
import { releasesOf } from "./releases.ts";
import { isReversible, previewRollback } from "./rollback.ts";
import type { Execution, RunName, RunState } from "./run.ts";
import {
  newRunName,
  type RunRecord,
  type RunSpec,
  readRun,
  readRunForList,
  runObject,
} from "./run-record.ts";
import type { PlanContext, Step } from "./step.ts";
import { stepsOf } from "./steps/index.ts";
import { checksSummary } from "./steps/preflight.ts";
import { watchRun } from "./watch-run.ts";

/** How long a living engine may take to come to rest once it is asked to, in milliseconds. */
const cancelPatience = 30_000;

/** @throws ProvisioningError `usage` where the step is not the one that failed, or the service needs what it makes */
function mayBeSkipped(run: RunName, state: RunState, steps: readonly Step[], id: StepId): void {
  const step = state.steps.find((candidate) => candidate.id === id);
  const skippable = steps.find((candidate) => candidate.id === id)?.skippable === true;
  if (step === undefined || step.phase !== "Failed" || state.rollback !== undefined) {
    throw new ProvisioningError(
      "usage",
      `step ${id} of run ${run} has not failed: there is nothing to leave out`,
    );
  }
  if (!skippable) {
    throw new ProvisioningError(
      "usage",
      `step ${id} cannot be left out: the service needs what it makes`,
      `try it again: platform run retry ${run}, or undo the run: platform run rollback ${run}`,
    );
  }
}

function confirmedBy(context: PlanContext, confirmed: string | undefined): PlanContext {
  return confirmed === undefined ? context : { ...context, confirmed };
}

/** The use cases of runs on one cluster. */
export function createProvisioner(options: ExecutorOptions): Provisioner {
  const { cluster, codeHost, standards, clock, randomBytes } = options;
  const surroundings = { cluster, codeHost, standards };
  /** Runs that this process executes now. */
  const executing = new Map<RunName, Execution>();

  async function mustBeInstalled(): Promise<void> {
    if (await isInstalled(cluster)) return;
    throw new ProvisioningError(
      "refused",
      `the platform is not installed on ${cluster.context}`,
      "have a platform engineer run: platform install",
    );
  }

  async function read(run: RunName): Promise<RunRecord> {
    try {
      return readRun(await cluster.get(resources.runs, { namespace: systemNamespace, name: run }));
    } catch (error) {
      if (!isClusterError(error, "not-found")) throw error;
      throw new ProvisioningError("usage", `there is no run ${run}`, "see them with: platform run list");
    }
  }

  async function execute(...[start]: [Parameters<typeof startExecution>[1]]): Promise<Execution> {
    const execution = await startExecution(options, start).catch((error: unknown) => {
      throw tooOld(error) ?? error;
    });
    executing.set(execution.name, execution);
    const forget = () => executing.delete(execution.name);
    execution.finished.then(forget, forget);
    return execution;
  }

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
  async function checkedPlan(operation: Operation, context: PlanContext): Promise<PlanWithManifests> {
    const [{ warnings }, { plan, manifests, diff }] = await checkedAnd(operation, context, () =>
      planFor(operation, context),
    );
    const steps = plan.steps.map((step) =>
      step.id === "preflight" ? { ...step, notes: [...step.notes, ...warnings] } : step,
    );
    const protectedStores = (await protectedAtStake(context)).map(({ name }) => name);
    return { plan: { ...plan, steps }, manifests, diff, protectedStores };
  }

  /** Checks, requests the run, makes sure that nobody else was first, and executes it. */
  async function request(
    operation: Operation,
    context: PlanContext,
    parameters: RunSpec["parameters"],
    onFailure: "rollback" | "hold",
  ): Promise<Execution> {
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
    const record = readRun(await requested(runObject(name, spec)));
    await mustBeFirst(operation, { ...context, run: name });
    const starting = execute({
      record,
      context,
      steps: stepsFor(operation, context),
      onFailure,
      actor: username,
      done: new Map([["preflight", { summary: checksSummary(count), warnings }]]),
      first: (epoch, at) => [
        {
          type: "RunStarted",
          at,
          epoch,
          holder: options.holder,
          standardsHash: standardsHash(standards),
          plan,
        },
      ],
    });
    return starting.catch(async (error: unknown) => {
      if (error instanceof ProvisioningError) await withdraw(name);
      throw error;
    });
  }

  /** A request of which nothing else was written. */
  async function withdraw(run: RunName): Promise<void> {
    await cluster.delete(resources.runs, { namespace: systemNamespace, name: run });
  }

  /** @throws ProvisioningError `refused` where the platform on the cluster is older than this program */
  async function requested(run: KubeObject): Promise<KubeObject> {
    try {
      return await cluster.create(resources.runs, run);
    } catch (error) {
      throw tooOld(error) ?? error;
    }
  }

  /** Why a Run cannot be written, where the cluster's definition of it is older than this program. */
  function tooOld(error: unknown): ProvisioningError | undefined {
    const cause = error instanceof JournalError ? error.cause : error;
    if (!isClusterError(cause, "invalid", "server") || !/unknown field/.test(cause.message)) return undefined;
    return new ProvisioningError(
      "refused",
      `the platform on ${cluster.context} is older than this program, and does not know what is asked for`,
      "have a platform engineer run: platform install",
      error,
    );
  }

  /** Of two who ask at the same time, the later withdraws: it has written nothing but its request. */
  async function mustBeFirst(operation: Operation, context: CheckContext & { readonly run: RunName }) {
    const outcome = await noUnfinishedRun(operation)(context);
    if (!(outcome instanceof ProvisioningError)) return;
    await withdraw(context.run);
    throw outcome;
  }

  /** A run that nobody works on: read, and refused while its holder lives. */
  async function takeable(run: RunName): Promise<RunRecord> {
    const own = executing.get(run);
    let record = await read(run);
    if (own !== undefined && !atRest(own.state)) throw busy(run, "this process");
    if (!atRest(record.state)) {
      const holding = await observeHolder(cluster, clock, run);
      if (holding.alive) throw busy(run, holding.holder);
      // As it was when its holder was found dead: should that write once more, the run is not taken.
      record = holding.record;
    }
    const others = (await runsOf(cluster, record.spec.service)).filter(
      ({ name, state }) => name !== run && (state.phase === "Running" || state.phase === "RollingBack"),
    );
    for (const other of others) {
      if ((await livingHolder(cluster, clock, other.name)) !== undefined) {
        throw busy(other.name, other.state.holder);
      }
    }
    return record;
  }

  function busy(run: RunName, holder: string): ProvisioningError {
    return new ProvisioningError(
      "busy",
      `run ${run} is being executed by ${holder}`,
      `watch it: platform run watch ${run}`,
    );
  }

  async function mayRollBack(record: RunRecord): Promise<void> {
    const { name, state, spec } = record;
    if (!isReversible(state)) {
      throw new ProvisioningError(
        "usage",
        `run ${name} has deleted data: what it deleted cannot be brought back`,
        isOver(state) ? "" : `finish it: platform run retry ${name}`,
      );
    }
    if (state.phase === "RolledBack") {
      throw new ProvisioningError("usage", `run ${name} is rolled back already`);
    }
    // What a run found or made may have been changed again since.
    const runs = await runsOf(cluster, spec.service);
    const later = runs
      .slice(
        0,
        Math.max(
          0,
          runs.findIndex((run) => run.name === name),
        ),
      )
      .find(({ state: other }) => other.phase !== "RolledBack" && other.startedAt !== undefined);
    if (later === undefined) return;
    // What is left of a creation goes even after a deletion.
    if (
      spec.operation === "create" &&
      (later.spec.operation === "create" || later.spec.operation === "delete")
    )
      return;
    throw new ProvisioningError(
      "usage",
      `run ${later.name} (${later.spec.operation}) came after run ${name}: what was before is not what would come back`,
      isOver(later.state)
        ? `see the releases: platform service releases ${spec.service}`
        : `roll that back first: platform run rollback ${later.name}`,
    );
  }

  /** Goes on with a run as it was going: forwards, or back where it is being undone. */
  async function goOn(
    run: RunName,
    verb: "resume" | "retry",
    { onFailure, skip = [] }: { readonly onFailure: OnFailure; readonly skip?: readonly StepId[] },
  ): Promise<Execution> {
    const record = await takeable(run);
    const { state, spec } = record;
    if (isOver(state)) {
      throw new ProvisioningError(
        "usage",
        `run ${run} is over (${state.phase}): there is nothing to ${verb}`,
      );
    }
    const context = await contextOf(spec, state.change, surroundings);
    const steps = stepsOf[spec.operation];
    for (const id of skip) mayBeSkipped(run, state, steps, id);
    const [{ username }, fresh, lost] = await Promise.all([
      cluster.whoAmI(),
      // Not by its phase: one that was cancelled before anybody took it has no plan either.
      state.steps.length === 0 ? planFor(spec.operation, context) : undefined,
      lostSteps(cluster, state),
    ]);
    const { holder } = options;
    return execute({
      record,
      context,
      steps,
      onFailure: spec.operation === "delete" || spec.operation === "cleanup" ? "hold" : onFailure,
      actor: username,
      first: (epoch, at) =>
        fresh !== undefined
          ? [
              {
                type: "RunStarted",
                at,
                epoch,
                holder,
                standardsHash: standardsHash(standards),
                plan: fresh.plan,
              },
            ]
          : [
              { type: "RunTaken", at, epoch, holder, by: username, verb },
              ...lost.map(({ step, reason }) => ({ type: "StepReopened" as const, at, step, reason })),
              ...skip.map((step) => ({ type: "StepSkipped" as const, at, step, by: username })),
            ],
    });
  }

  /** What a living engine is asked to do: it watches its Run. */
  async function ask(run: RunName, action: "cancel" | "retry"): Promise<void> {
    await cluster.patch(
      resources.runs,
      { namespace: systemNamespace, name: run },
      { type: "merge", body: { spec: { action } } },
    );
  }

  const orphans = createOrphans({
    ...surroundings,
    clock,
    mustBeInstalled,
    contextOf: (spec) => cleanupContext(spec, surroundings),
    execute: (spec) => request("cleanup", cleanupContext(spec, surroundings), spec.parameters, "hold"),
  });

  return {
    orphans,
    async planCreate(serviceRequest) {
      await mustBeInstalled();
      return checkedPlan("create", createContext(serviceRequest, surroundings));
    },
    async planDelete(service, dataStores) {
      await mustBeInstalled();
      return checkedPlan("delete", await deleteContext(service, dataStores, surroundings));
    },
    async planChange(service, change, { dataStores }) {
      await mustBeInstalled();
      const context = await changeContext(service, change, dataStores, surroundings);
      return checkedPlan(change.operation, context);
    },
    async create(serviceRequest: ServiceRequest, { onFailure }) {
      await mustBeInstalled();
      const context = createContext(serviceRequest, surroundings);
      return request("create", context, { request: serviceRequest }, onFailure);
    },
    async change(service, change, { onFailure, dataStores, confirmed }) {
      await mustBeInstalled();
      const context = confirmedBy(await changeContext(service, change, dataStores, surroundings), confirmed);
      const { operation, ...parameters } = change;
      const stores = operation === "set" ? { dataStores: context.dataStores } : {};
      return request(
        operation,
        context,
        { ...parameters, ...stores },
        onFailure ?? standards.workload.onUnhealthy,
      );
    },
    async delete(service: ServiceName, { dataStores, confirmed }) {
      await mustBeInstalled();
      const context = confirmedBy(await deleteContext(service, dataStores, surroundings), confirmed);
      return request("delete", context, { dataStores: context.dataStores }, "hold");
    },
    resume: (run, asked) => goOn(run, "resume", asked),
    retry: (run, asked) => goOn(run, "retry", asked),
    async previewRollback(run, dataStores) {
      const record = await read(run);
      await mayRollBack(record);
      return previewRollback(record.state, await observeRun({ cluster, codeHost }, record.state), dataStores);
    },
    async rollback(run, { dataStores, confirmed }) {
      const record = await takeable(run);
      await mayRollBack(record);
      const { service } = record.spec;
      if (dataStores === "delete") {
        const { protectedStores = [] } = previewRollback(
          record.state,
          await observeRun({ cluster, codeHost }, record.state),
          dataStores,
        );
        await rollbackMayDestroy(protectedStores, { cluster, standards, service, confirmed });
      }
      const [context, { username }] = await Promise.all([
        contextOf(record.spec, record.state.change, surroundings),
        cluster.whoAmI(),
      ]);
      return execute({
        record,
        context,
        steps: [],
        onFailure: "hold",
        actor: username,
        first: (epoch, at) => [
          { type: "RunTaken", at, epoch, holder: options.holder, by: username, verb: "rollback" },
          {
            type: "RollbackStarted",
            at,
            by: username,
            dataStores,
            ...(confirmed === undefined ? {} : { confirmed }),
          },
        ],
      });
    },
    async cancel(run) {
      const own = executing.get(run);
      if (own !== undefined) {
        await own.interrupt("cancelled");
        return own.state;
      }
      const { state } = await read(run);
      if (atRest(state) && state.phase !== "Pending") {
        throw new ProvisioningError(
          "usage",
          `run ${run} is at rest (${state.phase}): there is nothing to cancel`,
        );
      }
      const holding = await observeHolder(cluster, clock, run);
      if (holding.alive) {
        await ask(run, "cancel");
        for await (const next of watchRun(cluster, clock, run, AbortSignal.timeout(cancelPatience))) {
          if (atRest(next)) return next;
        }
        throw new ProvisioningError(
          "busy",
          `run ${run} has been asked to stop, and has not done so yet`,
          `watch it: platform run watch ${run}`,
        );
      }
      const { record } = holding;
      const [context, { username }] = await Promise.all([
        contextOf(record.spec, record.state.change, surroundings),
        cluster.whoAmI(),
      ]);
      const reason = `cancelled by ${username}`;
      const execution = await execute({
        record,
        context,
        steps: [],
        onFailure: "hold",
        actor: username,
        first: (epoch, at) => [
          { type: "RunTaken", at, epoch, holder: options.holder, by: username, verb: "cancel" },
          { type: "RunInterrupted", at, reason },
        ],
      });
      return execution.finished;
    },
    async retryNow(run) {
      const own = executing.get(run);
      if (own === undefined) await ask(run, "retry");
      else own.retryNow();
    },
    async releases(service) {
      return releasesOf((await runsOf(cluster, service)).map(({ state }) => state));
    },
    async get(run) {
      return (await read(run)).state;
    },
    async list({ service } = {}) {
      const { items } = await cluster.list(resources.runs, {
        namespace: systemNamespace,
        ...(service === undefined ? {} : { labelSelector: `${labels.service}=${service}` }),
      });
      return items
        .map((item) => readRunForList({ ...item, apiVersion: "platform.company.com/v1", kind: "Run" }))
        .sort((a, b) => (a.requestedAt < b.requestedAt ? 1 : a.requestedAt > b.requestedAt ? -1 : 0));
    },
    watch: (run, signal) => watchRun(cluster, clock, run, signal),
    logs: (run) => readLog(cluster, run),
  };
}
