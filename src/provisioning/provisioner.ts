import type { ServiceChange } from "../application/change.ts";
import type { ServiceName } from "../application/names.ts";
import type { ServiceRequest } from "../application/request.ts";
import type { FieldChange } from "../application/spec-diff.ts";
import type { KubeObject } from "../cluster/object.ts";
import type { Rotatable } from "../secrets/rotation.ts";
import type { StoreTerms } from "./data-stores/terms.ts";
import type { Release } from "./operations/releases.ts";
import type { Orphans } from "./orphans/orphan.ts";
import type { Plan, StepId } from "./plan.ts";
import type { Execution, LogLine, RollbackPreview, RunName, RunState } from "./runs/run.ts";

/** What becomes of data stores: `keep-used` deletes only those this run made and nobody has used. */
export type DataStoreChoice = "keep-used" | "keep" | "delete";

export type OnFailure = "rollback" | "hold";

export interface PlanWithManifests {
  readonly plan: Plan;
  /** Every object the plan would write, by step, in order; secrets' values are shown as `(generated)`. */
  readonly manifests: readonly KubeObject[];
  /** What it changes of the Application, field by field; every field for a create. */
  readonly diff: readonly FieldChange[];
  /**
   * Data stores that the plan destroys and that are protected against deletion: the operation needs the service's name
   * as confirmation (`confirmed`). Left out: none.
   */
  readonly protectedStores?: readonly string[];
  /** Data stores that the plan makes: who runs them, their size, price and protection. Left out: none. */
  readonly stores?: readonly StoreTerms[];
}

/** What whoever asks has typed where protected data is destroyed: the service's name. Without it that is refused. */
export interface Confirmation {
  readonly confirmed?: string;
}

/** What a database is brought back to: a backup, by its name; of Cloud SQL a moment, RFC 3339 in UTC. */
export type Restored = string | { readonly toTime: string };

/**
 * The use cases of runs: what commands, screens and one day the operator call. Methods throw
 * `ProvisioningError` (bad input, existing service, missing rights, not installed; nothing was written) or
 * ClusterError. Which verb a run takes is in `verbs.ts`.
 */
export interface Provisioner {
  /** What no living run or service accounts for. */
  readonly orphans: Orphans;
  planCreate(request: ServiceRequest): Promise<PlanWithManifests>;
  planChange(
    service: ServiceName,
    change: ServiceChange,
    options: { readonly dataStores: DataStoreChoice },
  ): Promise<PlanWithManifests>;
  /** @param namespace - the one that the service shares with others; left out: its own */
  planDelete(
    service: ServiceName,
    dataStores: DataStoreChoice,
    namespace?: string,
  ): Promise<PlanWithManifests>;
  planRotate(service: ServiceName, credential: Rotatable): Promise<PlanWithManifests>;
  /** @param restored - left out: the plan is a backup's */
  planBackup(service: ServiceName, restored?: Restored): Promise<PlanWithManifests>;
  /** Dumps a service's database in the cluster, and reads the dump. `onFailure` as for a change. */
  backup(service: ServiceName, options: { readonly onFailure?: OnFailure }): Promise<Execution>;
  /**
   * Puts what a backup holds in the place of a service's database, which is backed up first; or has the service use
   * another instance, as its own was at a moment.
   */
  restore(
    service: ServiceName,
    restored: Restored,
    options: { readonly onFailure?: OnFailure } & Confirmation,
  ): Promise<Execution>;
  /** @param from - name of the Secret, in the service's namespace, that says where the data is */
  planImport(service: ServiceName, from: string): Promise<PlanWithManifests>;
  /** Brings what another database has into a service's empty one in the cluster. */
  importDatabase(
    service: ServiceName,
    from: string,
    options: { readonly onFailure?: OnFailure } & Confirmation,
  ): Promise<Execution>;
  /** Checks, then creates the Run and executes it in this process. */
  create(request: ServiceRequest, options: { readonly onFailure: OnFailure }): Promise<Execution>;
  /**
   * Scale, deploy, set, or back to an earlier release. `onFailure` left out: as the standards say
   * (`workload.onUnhealthy`). A change that changes nothing is refused (`unchanged`).
   */
  change(
    service: ServiceName,
    change: ServiceChange,
    options: { readonly onFailure?: OnFailure; readonly dataStores: DataStoreChoice } & Confirmation,
  ): Promise<Execution>;
  /** Gives a data store's service a new password, without a moment in which none is right. `onFailure` as for a change. */
  rotate(
    service: ServiceName,
    credential: Rotatable,
    options: { readonly onFailure?: OnFailure },
  ): Promise<Execution>;
  delete(
    service: ServiceName,
    options: { readonly dataStores: DataStoreChoice; readonly namespace?: string } & Confirmation,
  ): Promise<Execution>;
  /** Goes on with a run that was interrupted or whose holder died, forwards or backwards, as it was going. Refused while its holder lives. */
  resume(run: RunName, options: { readonly onFailure: OnFailure }): Promise<Execution>;
  /**
   * Tries the failed step (or, of a failed rollback, the failed compensation) again and goes on; `skip` goes on
   * without steps that may be left out. `lockHolder`, `user@host` as whoever asks has typed it, may have a lock of
   * Terraform's taken away that nobody knows to be dead. Refused while its holder lives.
   */
  retry(
    run: RunName,
    options: {
      readonly onFailure: OnFailure;
      readonly skip?: readonly StepId[];
      readonly lockHolder?: string;
    },
  ): Promise<Execution>;
  previewRollback(run: RunName, dataStores: DataStoreChoice): Promise<RollbackPreview>;
  rollback(
    run: RunName,
    options: { readonly dataStores: DataStoreChoice } & Confirmation,
  ): Promise<Execution>;
  /**
   * Brings a run to rest, so that it can be resumed or rolled back: asks the engine that executes it, or, where that
   * is dead, records it. Resolves with the state at rest. A request of one's own that nobody has begun with is taken
   * back by who may not do more than ask: the run is gone, and `Refused` is what it comes to.
   */
  cancel(run: RunName): Promise<RunState>;
  /**
   * Takes back a request that nobody has begun with: it is deleted, or, by who may not do that, marked as cancelled.
   * Refused (`busy`) where somebody has begun, and (`rights`) to who may do neither.
   */
  withdraw(run: RunName): Promise<"withdrawn" | "marked">;
  /** Asks the living engine of a run not to wait for its next try. */
  retryNow(run: RunName): Promise<void>;
  /** What ran of a service, newest first. */
  releases(service: ServiceName): Promise<readonly Release[]>;
  get(run: RunName): Promise<RunState>;
  /** Newest first. @param options - `service`: of the services of this name alone, wherever they are */
  list(options?: { readonly service?: ServiceName }): Promise<readonly RunState[]>;
  /** The state now and after each change, until the signal aborts or the run is deleted. */
  watch(run: RunName, signal: AbortSignal): AsyncIterable<RunState>;
  /** The run's whole log, oldest line first: a run's state holds the newest lines only. */
  logs(run: RunName): AsyncIterable<LogLine>;
}
