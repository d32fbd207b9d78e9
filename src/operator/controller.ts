/** How soon a key is wanted: `high` goes before all that is `low`, such as what the first list or a resync brings. */
export type Priority = "high" | "low";

/** Asks for a key (`namespace/name`) to be worked on. Left out: `high`. */
export type Enqueue = (key: string, priority?: Priority) => void;

/** What a reconcile that went well may ask for. */
export interface Reconciled {
  /** Look at the key again after so many milliseconds, whatever happens until then. */
  readonly againMs?: number;
}

/**
 * Brings one kind of thing from what it is to what it should be, key by key. It is told only that a key may need
 * work, never what changed: it looks at what is there now.
 */
export interface Controller {
  /** Label `controller` of the metrics, and the field of the log. */
  readonly name: string;
  /** Keys worked on at the same time. */
  readonly workers: number;
  /**
   * What shares out keys among operators that shard: keys of one answer are one operator's. Left out: the key's
   * namespace.
   */
  shardBy?(key: string): string;
  /**
   * Starts caches; calls enqueue for each key that may need work, from now until the signal aborts; resolves once
   * caches are complete.
   */
  start(enqueue: Enqueue, signal: AbortSignal): Promise<void>;
  /**
   * One key; never two at a time for the same key. Throwing means: again, with backoff.
   * @param signal - aborts when the key is no longer ours: nothing is written afterwards
   */
  reconcile(key: string, signal: AbortSignal): Promise<Reconciled | undefined>;
  /** A key in hand is to be another operator's soon: what would take long ends in good order. Left out: it does not. */
  release?(key: string): void;
  /** Resolves when what reconciles have left to be written on the side, such as Events, is. Left out: nothing is. */
  settled?(): Promise<void>;
}
