import { z } from "zod";
import { systemNamespace } from "../../application/names.ts";
import { RefusedInput } from "../../application/refusal.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { Reflector } from "../../cluster/reflector.ts";
import { resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";
import { atRest } from "../../provisioning/engine/decide.ts";
import type { ExecutorOptions, OwnExecution } from "../../provisioning/engine/execution.ts";
import { createExecutor, type Executor } from "../../provisioning/engine/executor.ts";
import { type Action, askedBy, takeAction } from "../../provisioning/engine/obey-actions.ts";
import { refuseAction, refuseRun } from "../../provisioning/engine/refuse-run.ts";
import { JournalError, ProvisioningError } from "../../provisioning/errors.ts";
import { requestedContext } from "../../provisioning/operations/of-run.ts";
import {
  onFailureOf,
  selfExecutedAnnotation,
  takeRequest,
} from "../../provisioning/operations/request-run.ts";
import { isInstallation, operationSchema } from "../../provisioning/plan.ts";
import { type RunRecord, readRun } from "../../provisioning/runs/run-record.ts";
import { serviceText } from "../../provisioning/runs/service-of-run.ts";
import { verbsOn } from "../../provisioning/verbs/verbs-on-runs.ts";
import type { Controller, Enqueue, Reconciled } from "../controller.ts";
import { errorFields, type Log } from "../log.ts";

/** What executing runs takes besides: asked for each run, since an organisation changes its standards. */
export type RunSurroundings = () => Promise<
  Pick<ExecutorOptions, "standards" | "codeHost" | "cloud" | "metrics">
>;

export interface RunsOptions extends Pick<ExecutorOptions, "cluster" | "randomBytes" | "holder"> {
  readonly cluster: Cluster;
  readonly log: Log;
  readonly timing: Timing;
  readonly executing: RunSurroundings;
  /** Runs executed at the same time. Default 16. */
  readonly workers?: number;
}

/** Runs mostly wait: for pods, volumes and certificates. */
const defaultWorkers = 16;
/** A run that somebody else executes is looked at again after so long, in milliseconds. */
const othersAgainMs = 10_000;
/** A request that waits for an older one of its service is looked at again after so long, in milliseconds. */
const queuedAgainMs = 250;
/** Whoever executes their own request takes it within this time, in milliseconds; else it is anybody's. */
const selfExecutedMs = 60_000;
/** What nobody has begun with for so long is not what people expect to happen any more. In milliseconds. */
const lapsesAfterMs = 3_600_000;

/** Of a Run, what decides whether it needs work; its journal is not kept. */
interface Known {
  readonly phase: string;
  readonly holder: string;
  readonly action: string;
  /** `NAME`, or `NAMESPACE/NAME`. */
  readonly service: string;
  readonly installation: boolean;
  readonly version: number;
}

const runSchema = z.object({
  spec: z
    .object({
      service: z.string().catch(""),
      sharedNamespace: z.string().optional().catch(undefined),
      operation: operationSchema.optional().catch(undefined),
      action: z.string().catch(""),
    })
    .catch({ service: "", sharedNamespace: undefined, operation: undefined, action: "" }),
  status: z
    .object({ phase: z.string().catch("Pending"), holder: z.string().catch("") })
    .catch({ phase: "Pending", holder: "" }),
});

function known(object: KubeObject): Known {
  const { spec, status } = runSchema.parse({ spec: object.spec, status: object.status });
  return {
    ...status,
    action: spec.action,
    service: serviceText(spec),
    installation: spec.operation !== undefined && isInstallation(spec.operation),
    version: Number(object.metadata.resourceVersion ?? 0),
  };
}

/** Whether somebody has to do something with a run now. Pure. */
function needsWork({ phase, action, installation }: Known): boolean {
  if (installation) return false;
  return phase === "Pending" || phase === "Running" || phase === "RollingBack" || action !== "";
}

/** What whoever asked would have been told in their own process; undefined where something else went wrong. */
function asRefusal(error: unknown): ProvisioningError | undefined {
  if (error instanceof ProvisioningError) return error;
  return error instanceof RefusedInput
    ? new ProvisioningError("usage", error.message, "mend it, and make another run", error)
    : undefined;
}

/**
 * Executes what is asked for: new requests, runs whose holder is dead, and what people want of runs at rest. It works
 * out everything itself, from the request and from the standards in the cluster, and refuses in the words in which
 * whoever asked would have been refused in their own process.
 */
export function createRunsController(options: RunsOptions): Controller {
  const { cluster, log, timing, executing, randomBytes, holder, workers = defaultWorkers } = options;
  const inHand = new Map<string, OwnExecution>();
  const stopping = new Set<string>();
  let runs: Reflector<Known> | undefined;

  async function executorNow(): Promise<Executor> {
    return createExecutor({ cluster, clock: timing, randomBytes, holder, ...(await executing()) });
  }

  /** Requests of the same service that were stored before this one go first. */
  function hasElder(key: string, service: string): boolean {
    const own = runs?.objects.get(key)?.version ?? Number.POSITIVE_INFINITY;
    return [...(runs?.objects ?? [])].some(
      ([other, { phase, version, service: of, installation }]) =>
        other !== key && of === service && phase === "Pending" && !installation && version < own,
    );
  }

  /** An execution to its end, or until the key is not ours any more. */
  async function toEnd(
    key: string,
    execution: OwnExecution,
    signal: AbortSignal,
  ): Promise<Reconciled | undefined> {
    const { name } = execution;
    const release = () => void execution.release().catch(() => {});
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {});
    const onAbort = () => {
      release();
      aborted.reject(signal.reason);
    };
    inHand.set(key, execution);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    if (stopping.has(key)) release();
    try {
      const { phase } = await Promise.race([execution.finished, aborted.promise]);
      log.info("run has come to rest", { run: name, phase });
      return undefined;
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      log.warn("run is lost", { run: name, ...errorFields(error) });
      return { againMs: othersAgainMs };
    } finally {
      signal.removeEventListener("abort", onAbort);
      inHand.delete(key);
      stopping.delete(key);
    }
  }

  async function pending(
    key: string,
    record: RunRecord,
    signal: AbortSignal,
  ): Promise<Reconciled | undefined> {
    const { name, spec, state } = record;
    const age = timing.now().getTime() - Date.parse(state.requestedAt);
    const { annotations = {} } = record.object.metadata;
    if (annotations[selfExecutedAnnotation] === "true" && age < selfExecutedMs) {
      return { againMs: Math.max(queuedAgainMs, selfExecutedMs - age) };
    }
    const executor = await executorNow();
    if (spec.action === "cancel") return obey(key, executor, record, "cancel", signal);
    if (hasElder(key, serviceText(spec))) return { againMs: queuedAgainMs };
    let execution: OwnExecution;
    try {
      if (age > lapsesAfterMs) {
        throw new ProvisioningError(
          "refused",
          `run ${name} was asked for at ${state.requestedAt}, and nobody began with it within an hour`,
          "make another run",
        );
      }
      execution = await takeRequest(executor, record, await requestedContext(spec, executor.options));
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal === undefined) throw error;
      log.info("run is refused", { run: name, why: refusal.message });
      await refuseRun(executor, record, refusal);
      return undefined;
    }
    log.info("run begins", { run: name, operation: spec.operation, service: spec.service });
    return toEnd(key, execution, signal);
  }

  /** What somebody wants of a run that rests, or that nobody has taken. */
  async function obey(
    key: string,
    executor: Executor,
    record: RunRecord,
    action: Action,
    signal: AbortSignal,
  ): Promise<Reconciled | undefined> {
    const { name, spec } = record;
    const by = askedBy(record.object) ?? "on request";
    const verbs = verbsOn(executor, async () => by);
    const {
      onFailure = onFailureOf(spec, executor.options),
      skip = [],
      lockHolder,
      dataStores = "keep-used",
      confirmed,
    } = spec.actionOptions ?? {};
    log.info("an action is asked for", { run: name, action, by });
    try {
      switch (action) {
        case "cancel":
          await verbs.cancel(name);
          return undefined;
        case "resume":
          return toEnd(key, await verbs.resume(name, { onFailure }), signal);
        case "retry":
          return toEnd(
            key,
            await verbs.retry(name, {
              onFailure,
              skip,
              ...(lockHolder === undefined ? {} : { lockHolder }),
            }),
            signal,
          );
        case "rollback": {
          const how = { dataStores, ...(confirmed === undefined ? {} : { confirmed }) };
          return toEnd(key, await verbs.rollback(name, how), signal);
        }
      }
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal === undefined) throw error;
      log.info("an action is refused", { run: name, action, by, why: refusal.message });
      await refuseAction(executor, record, action, refusal);
      await takeAction(cluster, record, signal);
      return undefined;
    }
  }

  /** A run at work: somebody else's, or nobody's any more. */
  async function takenOver(
    key: string,
    record: RunRecord,
    signal: AbortSignal,
  ): Promise<Reconciled | undefined> {
    const executor = await executorNow();
    const { name, spec, state } = record;
    try {
      const onFailure = onFailureOf(spec, executor.options);
      const execution = await verbsOn(executor).resume(name, { onFailure });
      log.info("run is gone on with", { run: name, after: state.holder });
      return await toEnd(key, execution, signal);
    } catch (error) {
      if (error instanceof ProvisioningError && error.kind === "busy") return { againMs: othersAgainMs };
      throw error;
    }
  }

  return {
    name: "runs",
    workers,
    shardBy: (key) => runs?.objects.get(key)?.service ?? key,
    async start(enqueue: Enqueue, signal) {
      const seen = new Map<string, string>();
      const complete = Promise.withResolvers<void>();
      const reflector = new Reflector<Known>({
        cluster,
        resource: resources.runs,
        namespace: systemNamespace,
        mode: "full",
        // Journals are big: few of them are in memory at a time.
        page: 50,
        keep: known,
        timing,
        batchMs: 20,
        onChanges({ changed, removed, complete: all }) {
          for (const [key, run] of changed) {
            const news = `${run.phase} ${run.holder} ${run.action}`;
            if (seen.get(key) === news) continue;
            seen.set(key, news);
            if (needsWork(run)) enqueue(key);
          }
          for (const key of removed) seen.delete(key);
          if (all) complete.resolve();
        },
      });
      runs = reflector;
      signal.addEventListener("abort", () => complete.reject(signal.reason), { once: true });
      void reflector.run(signal);
      await complete.promise;
    },
    async reconcile(key, signal) {
      const name = key.slice(key.indexOf("/") + 1);
      const object = await find(cluster, resources.runs, { namespace: systemNamespace, name }, { signal });
      if (object === undefined) return undefined;
      let record: RunRecord;
      try {
        record = readRun(object);
      } catch (error) {
        if (!(error instanceof ProvisioningError)) throw error;
        // Whoever looks at it is told the same.
        log.warn("run cannot be read", { run: name, ...errorFields(error) });
        return undefined;
      }
      const { state, spec } = record;
      if (isInstallation(spec.operation)) return undefined;
      try {
        if (state.phase === "Pending") return await pending(key, record, signal);
        if (!atRest(state)) return await takenOver(key, record, signal);
        if (spec.action === undefined) return undefined;
        return await obey(key, await executorNow(), record, spec.action, signal);
      } catch (error) {
        // Somebody else has taken it in the same moment.
        if (error instanceof JournalError) return { againMs: othersAgainMs };
        throw error;
      }
    },
    release(key) {
      stopping.add(key);
      void inHand
        .get(key)
        ?.release()
        .catch(() => {});
    },
  };
}
