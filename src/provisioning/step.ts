import type { Application } from "../application/application.ts";
import type { ServiceRequest } from "../application/request.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { KubeObject } from "../cluster/object.ts";
import type { CodeHost } from "../delivery/code-host.ts";
import type { Metrics } from "../monitoring/metrics.ts";
import type { Rotatable } from "../secrets/rotation.ts";
import type { Standards } from "../standards/standards.ts";
import type { Clock } from "./clock.ts";
import type { CloudStores } from "./data-stores/cloud-stores.ts";
import type { StoreTerms } from "./data-stores/terms.ts";
import type { Installation } from "./installation.ts";
import type { PlannedChange, PlannedStep, StepId } from "./plan.ts";
import type { Effect } from "./runs/effect.ts";
import type { EffectOutcome } from "./runs/event.ts";
import type { EffectState, RunName } from "./runs/run.ts";
import type { OrphanTarget, RepositoryTarget } from "./runs/run-record.ts";

/** What a plan is computed from: the request, the standards and what the cluster serves. No writes happen here. */
export interface PlanContext {
  readonly request: ServiceRequest;
  readonly standards: Standards;
  /** The service's Application as this operation makes it; for a deletion, as it is. */
  readonly application: Application;
  /** The Application before the operation; unset for a create. */
  readonly previous?: Application;
  readonly change: PlannedChange;
  readonly cluster: Cluster;
  readonly codeHost: CodeHost;
  /** Data stores outside of the cluster. */
  readonly cloud: CloudStores;
  /** For what depends on the time. */
  readonly clock: Pick<Clock, "now">;
  /** Whether this is for a person to look at: what takes its time to work out is told too. */
  readonly preview?: true;
  /** For a deletion: what becomes of the data stores. */
  readonly dataStores: "keep" | "delete";
  /** The service's name, where whoever asked has given it so that protected data may be destroyed. */
  readonly confirmed?: string;
  /** `user@host` whose lock of Terraform's may be taken, as whoever retries has typed it. */
  readonly lockHolder?: string;
  /** For a cleanup: what it deletes. */
  readonly cleanup?: {
    readonly orphans: readonly OrphanTarget[];
    readonly repositories: readonly RepositoryTarget[];
  };
  /** For a rotation: the data store whose password changes. */
  readonly credential?: Rotatable;
  /** For a backup, and for a restore, which makes one first. */
  readonly backups?: {
    readonly operation: "backup" | "restore";
    /** For a restore: the backup that is restored. */
    readonly restore?: string;
    /** For a restore of a database outside of the cluster: the moment it is brought back to, RFC 3339 in UTC. */
    readonly toTime?: string;
  };
  /** For an import: name of the Secret, in the service's namespace, that says where the data is. */
  readonly importing?: { readonly from: string };
  /** For an installation: what it brings. */
  readonly installation?: Installation;
}

/** What a running step works with. Everything that leaves the process goes through `write`, so that it is journaled. */
export interface StepContext extends PlanContext {
  readonly run: RunName;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** For credentials. */
  readonly randomBytes: (size: number) => Uint8Array;
  readonly signal: AbortSignal;
  /** A line for the log pane; never a secret. */
  log(line: string): void;
  readonly write: EffectWriter;
  /** What this step has recorded so far, over all its attempts. */
  readonly effects: readonly EffectState[];
}

/** Journals the intent, makes the effects in parallel where asked for together, journals the results. */
export interface EffectWriter {
  /**
   * Server-side applies the objects, after a check that what exists is ours; new ones get the run's label.
   * @throws StepError of class `conflict` where an object exists that is not the service's.
   */
  objects(
    objects: readonly KubeObject[],
  ): Promise<readonly { readonly object: KubeObject; readonly outcome: EffectOutcome }[]>;
  /** Creates an object once: one that exists and is the service's is left exactly as it is (credentials). */
  createOnce(object: KubeObject): Promise<{ readonly object: KubeObject; readonly outcome: EffectOutcome }>;
  /**
   * Takes over an object that a controller has made because this run asked it to: it gets these labels and the run's, so
   * that it goes with what the run made; all else stays as it is.
   */
  adopt(object: KubeObject, labels: Readonly<Record<string, string>>): Promise<KubeObject>;
  /** Deletes objects by name and UID and waits until they are gone; what is in a namespace among them goes with it. */
  deleteObjects(objects: readonly KubeObject[]): Promise<void>;
  /** Merge-patches objects that are there, each with the UID of the one that was seen as precondition. */
  patchObjects(objects: readonly KubeObject[], patch: object): Promise<void>;
  /** Does something by which an object outlives what it was made for, and records that, and why, it is kept. */
  keep(effect: Effect, reason: string, make: () => Promise<unknown>): Promise<void>;
  /** Records something that is there only while `work` lasts, which makes it and takes it away. */
  passing(effect: Effect, reason: string, work: () => Promise<void>): Promise<void>;
  /** Deletes what is no object; `remove` answers whether it did, and `reason` says why it may not have. */
  remove(effect: Effect, reason: string, remove: () => Promise<boolean>): Promise<boolean>;
  /**
   * Makes a data store outside of the cluster, or finds it.
   * @param made - by this run, by what says where it is; else it was there before
   */
  workspace<T extends { readonly changed: boolean }>(
    effect: Effect,
    made: boolean,
    make: () => Promise<T>,
  ): Promise<T>;
  repository(
    url: string,
    make: () => Promise<{ readonly created: boolean }>,
  ): Promise<{ readonly created: boolean }>;
  /** `make` answers with the commit's hash, and whether it was new. */
  commit(
    target: { readonly url: string; readonly branch: string; readonly title: string },
    make: () => Promise<{ readonly commit: string; readonly created: boolean }>,
  ): Promise<{ readonly commit: string }>;
}

export interface StepResult {
  /** One line for the run screen: `app-api-gateway, 9 objects`. */
  readonly summary: string;
  /** What a person should know though the step succeeded: a missing CRD, unproven monitoring. */
  readonly warnings?: readonly string[];
}

/** One unit of a plan. Adding one is a file in `steps/` and a line in `steps/index.ts`. */
export interface Step {
  readonly id: StepId;
  readonly title: string;
  readonly needs: readonly StepId[];
  /** Whether a person may go on without it: what it makes is not what the service runs on. */
  readonly skippable?: boolean;
  /** Whether the plan has this step at all. */
  when(
    context: Pick<
      PlanContext,
      "request" | "standards" | "dataStores" | "application" | "previous" | "cleanup"
    >,
  ): boolean;
  /** What it will do, for the plan, the dry run and the wizard's preview. */
  describe(context: PlanContext): Promise<{
    readonly effects: readonly PlannedStep["effects"][number][];
    readonly notes: readonly string[];
    readonly manifests: readonly KubeObject[];
    /** Of data stores that it makes: what a person should know before. */
    readonly terms?: readonly StoreTerms[];
  }>;
  /** Idempotent: a retry and a resume call it again. */
  apply(context: StepContext): Promise<StepResult>;
  /** Overrides how effects are undone; left out, the engine deletes what the run created in reverse order. */
  compensate?(context: StepContext): Promise<void>;
}
