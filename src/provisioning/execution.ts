import type { Cluster } from "../cluster/cluster.ts";
import type { CodeHost } from "../delivery/code-host.ts";
import type { Metrics } from "../monitoring/metrics.ts";
import type { Standards } from "../standards/standards.ts";
import type { Clock } from "./clock.ts";
import { compensateStep } from "./compensate.ts";
import { compensateCredentials, isCredentialsStep } from "./compensate-credentials.ts";
import { compensateImport, isImportStep } from "./compensate-import.ts";
import { compensateProtection } from "./compensate-protection.ts";
import { type CloudStores, fencedStores, takingLockOf, through } from "./data-stores/cloud-stores.ts";
import { guardedStores } from "./data-stores/guarded-stores.ts";
import { createEffectWriter } from "./effect-writer.ts";
import { Engine } from "./engine.ts";
import type { RunEvent } from "./event.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { Journal } from "./journal.ts";
import { type Action, obeyActions } from "./obey-actions.ts";
import type { StepId } from "./plan.ts";
import { guarded } from "./protection-guard.ts";
import { isProtectionStep } from "./rollback.ts";
import type { Execution } from "./run.ts";
import type { RunRecord } from "./run-record.ts";
import type { PlanContext, Step, StepResult } from "./step.ts";
import { clusterForStep, fencedHost } from "./step-cluster.ts";
import { undoRestore } from "./steps/database-copies.ts";

/** What executing runs takes from outside. */
export interface ExecutorOptions {
  readonly cluster: Cluster;
  readonly codeHost: CodeHost;
  readonly metrics: Metrics;
  /** Data stores outside of the cluster. */
  readonly cloud: CloudStores;
  readonly standards: Standards;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Who executes: `user@host:pid`. */
  readonly holder: string;
}

export interface Start {
  readonly record: RunRecord;
  readonly context: PlanContext;
  readonly steps: readonly Step[];
  readonly onFailure: "rollback" | "hold";
  /** Who asked for this, as the cluster's authentication names them. */
  readonly actor: string;
  /** The first events: they take the run. */
  first(epoch: number, at: string): readonly RunEvent[];
  /** Steps whose result is known already. */
  readonly done?: ReadonlyMap<StepId, StepResult>;
}

/** An execution in this process. */
export interface OwnExecution extends Execution {
  /** Finishes the write in hand and leaves the run, unfinished, to the next engine, which goes on with it at once. */
  release(): Promise<void>;
}

/**
 * Takes a run and executes it in this process, until it is at rest.
 * @throws JournalError where somebody else took it first; ClusterError
 */
export async function startExecution(options: ExecutorOptions, start: Start): Promise<OwnExecution> {
  const { cluster, codeHost, metrics, clock, randomBytes, holder } = options;
  const { record, context, steps } = start;
  const token = Buffer.from(randomBytes(8)).toString("hex");
  const journal = new Journal({ cluster, clock, record, holder, token });
  const service = record.spec.service;

  const writerFor = (marked: Cluster, step: StepId, signal: AbortSignal) =>
    createEffectWriter({
      cluster: marked,
      clock,
      journal,
      step,
      run: record.name,
      service,
      effects: () => journal.state.steps.find(({ id }) => id === step)?.effects ?? [],
      changesService: context.previous !== undefined || context.installation !== undefined,
      signal,
    });

  const host = fencedHost(codeHost, journal.ownership);
  const cloudOf = (marked: Cluster) =>
    guardedStores(
      through(takingLockOf(fencedStores(options.cloud, journal.ownership), context.lockHolder), marked),
      marked,
      record.name,
    );
  const random = () => (randomBytes(1)[0] ?? 0) / 256;
  const engine = new Engine({
    journal,
    clock,
    random,
    steps,
    onFailure: start.onFailure,
    actor: start.actor,
    done: start.done ?? new Map(),
    contextFor(step, signal, log) {
      const marked = guarded(clusterForStep(cluster, step, journal.ownership), record.name);
      return {
        ...context,
        cluster: marked,
        codeHost: host,
        cloud: cloudOf(marked),
        run: record.name,
        metrics,
        clock,
        randomBytes,
        signal,
        log,
        effects: journal.state.steps.find(({ id }) => id === step)?.effects ?? [],
        write: writerFor(marked, step, signal),
      };
    },
    async compensate(step, signal, log) {
      const marked = guarded(clusterForStep(cluster, step, journal.ownership), record.name);
      const readyWithinMs = context.standards.workload.progressDeadlineSeconds * 1_000;
      const surroundings = {
        cluster: marked,
        codeHost: host,
        cloud: cloudOf(marked),
        clock,
        journal,
        signal,
        readyWithinMs,
        log,
      };
      const write = writerFor(marked, step, signal);
      if (isProtectionStep(step)) {
        const { standards } = context;
        return compensateProtection({ ...surroundings, standards, write }, step);
      }
      if (isCredentialsStep(step)) {
        await compensateCredentials({ ...context, ...surroundings, write, run: record.name }, step);
      }
      if (isImportStep(step)) {
        await compensateImport({ ...context, ...surroundings, write, run: record.name }, step);
      }
      if (step === "restore_database") {
        await undoRestore({ ...context, ...surroundings, write, run: record.name });
      }
      await compensateStep(surroundings, step);
    },
  });

  const [heartbeat, taken] = await Promise.allSettled([
    startHeartbeat(cluster, clock, record.object, holder, journal.lost, journal.ownership),
    journal.append(...start.first(journal.epoch, clock.now().toISOString())),
  ]);
  if (taken.status === "rejected") {
    if (heartbeat.status === "fulfilled") await heartbeat.value();
    throw taken.reason;
  }
  if (heartbeat.status === "rejected") {
    await journal.append({
      type: "RunInterrupted",
      at: clock.now().toISOString(),
      reason: "its holder could not tell others that it lives",
    });
    throw heartbeat.reason;
  }
  const stopHeartbeat = heartbeat.value;
  const atRest = new AbortController();
  const act = (action: Action, by: string | undefined) => {
    if (action === "cancel") engine.interrupt(`cancelled ${by === undefined ? "on request" : `by ${by}`}`);
    if (action === "retry") engine.retryNow();
    if (action === "rollback") engine.rollBack(by ?? "on request");
  };
  const asked = AbortSignal.any([atRest.signal, journal.lost]);
  void obeyActions({ cluster, clock, random, record, signal: asked, act });
  const finished = engine.run().finally(async () => {
    atRest.abort(new Error("the run is at rest"));
    await stopHeartbeat();
  });
  // Whoever awaits it learns of a failure; one that nobody awaits must not end the process.
  finished.catch(() => {});
  return {
    name: record.name,
    by: "this-process",
    get state() {
      return journal.durable;
    },
    subscribe: (listener) => journal.subscribe(listener),
    finished,
    retryNow: () => engine.retryNow(),
    async interrupt(reason) {
      engine.interrupt(reason);
      await finished;
    },
    async release() {
      engine.release();
      await finished;
    },
  };
}
