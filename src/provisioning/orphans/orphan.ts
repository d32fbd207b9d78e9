import type { Effect } from "../runs/effect.ts";
import type { Execution } from "../runs/run.ts";

/** Something that the platform made, exists, and is no part of a service that lives. */
export interface Orphan {
  /** What a person types: `namespace/app-ledger`, `app-ledger/secret/ledger-db`, `repository/payments/ledger`. */
  readonly name: string;
  readonly effect: Effect;
  /** UID of an object: a deletion or adoption never hits another of its name. */
  readonly uid?: string;
  /** The service it was made for; empty where nothing says so. */
  readonly service: string;
  /** The run that made it; empty where nothing says so. */
  readonly run: string;
  /** When it was made, RFC 3339; empty where the host does not say. */
  readonly createdAt: string;
  /** `orphan`: nothing accounts for it. `kept`: a deletion or rollback left it on purpose. */
  readonly state: "orphan" | "kept";
  /** Why it is one, in a sentence without its name. */
  readonly reason: string;
  /** The data that goes with it: volume claims, commits. Empty where it holds none. */
  readonly data: readonly string[];
  /** Names of what is in a namespace and goes with it; left out where nothing is. */
  readonly contains?: readonly string[];
  /** Whether it, or what is in it, is protected against deletion. */
  readonly protected: boolean;
}

/** What a sweep found. */
export interface Sweep {
  /**
   * Orphans first, then what was kept; by service and name. What is in a namespace that is among them, and has the same
   * state, is told by the namespace ({@link Orphan.contains}).
   */
  readonly found: readonly Orphan[];
  /** What could not be looked at, and why: nothing is known about orphans among these. */
  readonly unseen: readonly string[];
}

/** What a deletion of orphans of one service does; one run deletes them. */
export interface CleanupPlan {
  readonly service: string;
  readonly orphans: readonly Orphan[];
  /** In words, what is deleted with what was named: objects in a namespace, volumes. */
  readonly takesAlong: readonly string[];
  /** The data that is lost. Not empty: the flow asks for the service's name. */
  readonly data: readonly string[];
  /** Data stores that are protected against deletion: the run needs the service's name as confirmation. */
  readonly protectedStores: readonly string[];
  /** What a person should know before: whether a last snapshot can be taken. */
  readonly notes: readonly string[];
}

/** The use cases of orphans. Methods throw ProvisioningError (nothing was written) and ClusterError. */
export interface Orphans {
  /** Looks at everything the platform labels, in the whole cluster, and at repositories where the host can list them. */
  find(options?: { readonly service?: string; readonly signal?: AbortSignal }): Promise<Sweep>;
  /**
   * Has the service account for orphans from now on: each gets an annotation with who adopted it and when, and the
   * service's labels, by which `service delete` finds it. Answers with those that were still there.
   * @param names - as {@link Orphan.name}
   */
  adopt(names: readonly string[]): Promise<readonly Orphan[]>;
  /** What deleting them does, a plan a service. */
  planDelete(names: readonly string[]): Promise<readonly CleanupPlan[]>;
  /** Checks again, then creates the run that deletes them and executes it in this process. */
  delete(
    plan: CleanupPlan,
    options?: { /** The service's name, as a person typed it. */ readonly confirmed?: string },
  ): Promise<Execution>;
}
