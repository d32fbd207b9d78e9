import type { CloudEndpoint } from "../../application/credentials.ts";
import type { Fence } from "../../cluster/fenced-cluster.ts";
import type { PlannedChanges } from "../../terraform/plan.ts";
import type { CloudStore } from "./cloud-store.ts";

/** For whom, and as long as what, something is done outside of the cluster. */
export interface CloudWork {
  /** A run's name. */
  readonly run: string;
  readonly signal: AbortSignal;
  /** `user@host` whose lock may be taken though nobody knows it to be dead: a person has typed it. */
  readonly lockHolder?: string;
  /** Told what is planned and what becomes of it, a line each; never a secret. */
  log(line: string): void;
}

/** A data store that is there. */
export interface MadeStore extends CloudEndpoint {
  /** Where the cloud makes the password itself. */
  readonly password?: string;
  /** Whether anything had to be made or changed. */
  readonly changed: boolean;
}

/** Why data may be destroyed: nobody has used it, or a person has named the service. */
export type WhyDestroyed = "unused" | "confirmed-by-person";

/**
 * Data stores outside of the cluster. Each method throws an error with `class`, `message` and `mend` that a run records
 * as it stands; none tells a secret.
 */
export interface CloudStores {
  /** Whether whoever executes runs here can make any. */
  check(): Promise<void>;
  /** What would be made of one that is not there: writes nothing anywhere. */
  preview(store: CloudStore, signal: AbortSignal): Promise<PlannedChanges>;
  /** What differs from what it should be; writes nothing but the lock that it holds meanwhile. */
  compare(store: CloudStore, work: CloudWork): Promise<PlannedChanges>;
  /**
   * Makes it, or finds it. Idempotent, whatever an earlier try has left.
   * @param password - of the service's login; left out where the cloud makes it
   */
  ensure(store: CloudStore, password: string | undefined, work: CloudWork): Promise<MadeStore>;
  /** Removes it with the data in it, and what is kept of it elsewhere. Idempotent. */
  remove(store: CloudStore, why: WhyDestroyed, work: CloudWork): Promise<void>;
}

/** The same, where a person has named the holder of a lock. */
export function takingLockOf(stores: CloudStores, lockHolder: string | undefined): CloudStores {
  if (lockHolder === undefined) return stores;
  return {
    ...stores,
    compare: (store, work) => stores.compare(store, { ...work, lockHolder }),
    ensure: (store, password, work) => stores.ensure(store, password, { ...work, lockHolder }),
    remove: (store, why, work) => stores.remove(store, why, { ...work, lockHolder }),
  };
}

/** The same, written to only while the run is its engine's. */
export function fencedStores(stores: CloudStores, fence: Fence): CloudStores {
  return {
    check: () => stores.check(),
    preview: (...args) => stores.preview(...args),
    async compare(...args) {
      await fence.ensure();
      return stores.compare(...args);
    },
    async ensure(...args) {
      await fence.ensure();
      return stores.ensure(...args);
    },
    async remove(...args) {
      await fence.ensure();
      return stores.remove(...args);
    },
  };
}
