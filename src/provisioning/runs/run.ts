import type { KubeObject } from "../../cluster/object.ts";
import type { Operation, PlannedChange, StepId } from "../plan.ts";
import type { Effect } from "./effect.ts";
import type { EffectOutcome, Refusal, RunError, RunEvent } from "./event.ts";

/** Name of a Run object, for example `api-gateway-create-7f3k`. */
export type RunName = string & { readonly __brand: "RunName" };

export type RunPhase =
  /** Requested; no engine has taken it yet. */
  | "Pending"
  /** Requested, and refused by whoever was to execute it: nothing was written. */
  | "Refused"
  | "Running"
  /** A step failed for good; a person chooses: retry, roll back, leave. */
  | "Held"
  | "Interrupted"
  | "Succeeded"
  | "RollingBack"
  | "RolledBack"
  /** Effects remain: see the orphans. */
  | "RollbackFailed";

export type StepPhase =
  | "Waiting"
  | "Running"
  /** Failed, or could not be undone, and will be tried again by itself at `retryAt`. */
  | "Retrying"
  | "Succeeded"
  /** Left out by a person, because it may be. */
  | "Skipped"
  | "Failed"
  | "Compensating"
  | "Compensated"
  | "CompensationFailed";

export interface EffectState {
  readonly effect: Effect;
  /** `unknown`: intended, and no result was recorded. */
  readonly state: "unknown" | EffectOutcome | "restored" | "kept" | "gone" | "rolled-back";
  readonly uid?: string;
  /** The object before this run first touched it, where it existed and is not this run's own. */
  readonly before?: KubeObject;
  /** Why it was kept. */
  readonly reason?: string;
}

export interface StepState {
  readonly id: StepId;
  readonly title: string;
  readonly needs: readonly StepId[];
  readonly phase: StepPhase;
  /** 1 for the first. */
  readonly attempt: number;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly retryAt?: string;
  /** What it made, or its newest log line while it runs. */
  readonly summary: string;
  readonly warnings: readonly string[];
  /** Whether a person may go on without it once it has failed; left out where the service needs what it makes. */
  readonly skippable?: true;
  readonly error?: RunError;
  readonly effects: readonly EffectState[];
}

export interface LogLine {
  readonly at: string;
  readonly step: StepId;
  readonly line: string;
}

/** A run as all views show it: the fold of its events over its request. */
export interface RunState {
  readonly name: RunName;
  readonly operation: Operation;
  readonly service: string;
  /** The namespace that the service shares with others; left out where it has one of its own. */
  readonly sharedNamespace?: string;
  readonly team: string;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly phase: RunPhase;
  readonly epoch: number;
  /** Who executes, or last executed, it: `user@host:pid`; empty where an engine has ended and left it to the next. */
  readonly holder: string;
  /** Why the run was refused, or the last thing that was asked of it. */
  readonly refusal?: Refusal & { readonly at: string };
  /** What the run makes of the service's Application; unset until it is taken, and in runs of older versions. */
  readonly change?: PlannedChange;
  readonly steps: readonly StepState[];
  readonly log: readonly LogLine[];
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** The failure a person has to decide on, with its step. */
  readonly failure?: { readonly step: StepId; readonly error: RunError };
  readonly orphans: readonly Effect[];
  /** Who rolled, or rolls, it back, and what they chose; unset where nobody has. */
  readonly rollback?: {
    readonly by: string;
    readonly dataStores: "keep-used" | "keep" | "delete";
    /** The service's name, given by whoever asked: protected data may be destroyed. */
    readonly confirmed?: string;
  };
  /** Whether the workload was ready at some time in this run: from then on its data stores count as used. */
  readonly reachedReady: boolean;
}

/** What a rollback would do, computed before anything is deleted. */
export interface RollbackPreview {
  readonly run: RunName;
  /** Written back as it was before the run. */
  readonly restores: readonly PreviewLine[];
  readonly deletes: readonly PreviewLine[];
  readonly keeps: readonly PreviewLine[];
  readonly irreversible: readonly PreviewLine[];
  /** True where data would be destroyed: the flow asks for the service's name. */
  readonly destroysData: boolean;
  /** What whoever looks may not read: it is judged by the run's journal. Left out: nothing. */
  readonly unread?: readonly PreviewLine[];
  /** Data stores that go and are protected against deletion: the rollback needs the service's name as confirmation. Left out: none. */
  readonly protectedStores?: readonly string[];
}

export interface PreviewLine {
  readonly effects: readonly Effect[];
  /** For a person: `namespace app-ledger and what is in it`. */
  readonly text: string;
  /** Why: `made by this run, never used`. */
  readonly reason: string;
}

/** A run in progress, in this process or in the operator. */
export interface Execution {
  readonly name: RunName;
  /** Who executes it. What the operator executes goes on whatever becomes of this process. */
  readonly by: "this-process" | "operator";
  readonly state: RunState;
  /** Called with each event once it is journaled, and the state after it. Returns the unsubscriber. */
  subscribe(listener: (event: RunEvent, state: RunState) => void): () => void;
  /** The state the run came to rest in: any phase but Pending, Running and RollingBack. Rejects where the journal itself cannot be written (lost epoch, unreachable). */
  readonly finished: Promise<RunState>;
  /** Finishes the write in hand, journals `RunInterrupted` and comes to rest; what the operator executes is asked to. */
  interrupt(reason: string): Promise<void>;
  /** Steps that wait to be tried again are tried at once. */
  retryNow(): void;
}
