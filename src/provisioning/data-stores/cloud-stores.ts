import type { CloudEndpoint } from "../../application/credentials.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Fence } from "../../cluster/fenced-cluster.ts";
import type { PlannedChanges } from "../../terraform/plan.ts";
import { type CloudStore, type GoogleStore, isGoogles, type PostgresStore } from "./cloud-store.ts";

/** For whom, and as long as what, something is done outside of the cluster. */
export interface CloudWork {
  /** A run's name. */
  readonly run: string;
  readonly signal: AbortSignal;
  /** The cluster as whoever works may write it; left out: as the stores reach it. */
  readonly cluster?: Cluster;
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

/** What is to be done outside of the cluster. */
export interface Undertaking<Store extends CloudStore = CloudStore> {
  readonly made: readonly Store[];
  readonly removed: readonly Store[];
}

/**
 * Data stores outside of the cluster, or elsewhere in it than beside their service. Each method throws an error with
 * `class`, `message` and `mend` that a run records as it stands; none tells a secret.
 */
export interface CloudStores<Store extends CloudStore = CloudStore> {
  /** Whether whoever executes runs here can do this; leaves nothing. */
  check(undertaking: Undertaking<Store>): Promise<void>;
  /** What would be made of one that is not there: writes nothing anywhere. */
  preview(store: Store, signal: AbortSignal): Promise<PlannedChanges>;
  /** What differs from what it should be; writes nothing but the lock that it holds meanwhile. */
  compare(store: Store, work: CloudWork): Promise<PlannedChanges>;
  /**
   * Makes it, or finds it. Idempotent, whatever an earlier try has left.
   * @param password - of the service's login; left out where the cloud makes it
   */
  ensure(store: Store, password: string | undefined, work: CloudWork): Promise<MadeStore>;
  /** Removes it with the data in it, and what is kept of it elsewhere. Idempotent. */
  remove(store: Store, why: WhyDestroyed, work: CloudWork): Promise<void>;
}

/** Stores by who runs them; each is loaded when the first of its is worked on. */
export function storesOf(by: {
  google(): Promise<CloudStores<GoogleStore>>;
  postgres(): Promise<CloudStores<PostgresStore>>;
}): CloudStores {
  return {
    async check({ made, removed }) {
      const google = { made: made.filter(isGoogles), removed: removed.filter(isGoogles) };
      const postgres = { made: made.filter(isPostgres), removed: removed.filter(isPostgres) };
      if (made.concat(removed).some(isGoogles)) await (await by.google()).check(google);
      if (made.concat(removed).some(isPostgres)) await (await by.postgres()).check(postgres);
    },
    preview: async (store, ...rest) =>
      isGoogles(store)
        ? (await by.google()).preview(store, ...rest)
        : (await by.postgres()).preview(store, ...rest),
    compare: async (store, ...rest) =>
      isGoogles(store)
        ? (await by.google()).compare(store, ...rest)
        : (await by.postgres()).compare(store, ...rest),
    ensure: async (store, ...rest) =>
      isGoogles(store)
        ? (await by.google()).ensure(store, ...rest)
        : (await by.postgres()).ensure(store, ...rest),
    remove: async (store, ...rest) =>
      isGoogles(store)
        ? (await by.google()).remove(store, ...rest)
        : (await by.postgres()).remove(store, ...rest),
  };
}

function isPostgres(store: CloudStore): store is PostgresStore {
  return !isGoogles(store);
}

/** The same, where what they write in the cluster is written through this one. */
export function through(stores: CloudStores, cluster: Cluster): CloudStores {
  return {
    ...stores,
    compare: (store, work) => stores.compare(store, { ...work, cluster }),
    ensure: (store, password, work) => stores.ensure(store, password, { ...work, cluster }),
    remove: (store, why, work) => stores.remove(store, why, { ...work, cluster }),
  };
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
    check: (undertaking) => stores.check(undertaking),
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
