import type { StoredObject } from "./api.ts";
import type { Resources } from "./resources.ts";
import type { Change, Store } from "./store.ts";

/** A committed change with its objects, parsed when somebody asks. */
export interface FeedChange {
  readonly rv: number;
  readonly type: Change["type"];
  readonly resource: string;
  readonly key: string;
  readonly object: StoredObject;
  readonly previous: StoredObject | undefined;
}

const crds = "apiextensions.k8s.io/customresourcedefinitions";

/** How often the writes of other processes are looked for: often while there are any, as 200 looks a second cost 2 % of a core. */
const busyPollMs = 5;
const idlePollMs = 25;
const busyMs = 2000;

/** Parses a change once, however many watch it. */
export function feedChange(change: Change): FeedChange {
  const parse = (text: string): StoredObject => JSON.parse(text);
  let object: StoredObject | undefined;
  let previous: StoredObject | undefined;
  return {
    rv: change.rv,
    type: change.type,
    resource: change.resource,
    key: change.key,
    get object(): StoredObject {
      object ??= parse(change.body);
      return object;
    },
    get previous(): StoredObject | undefined {
      if (previous === undefined && change.previous !== null) previous = parse(change.previous);
      return previous;
    },
  };
}

/**
 * Tells what was committed, in resourceVersion order: by this process at once, by others that share the store within
 * a few milliseconds. Keeps the served resources in step with the CRDs.
 */
export class ChangeFeed {
  readonly #store: Store;
  readonly #resources: Resources;
  readonly #listeners = new Set<(change: FeedChange) => void>();
  #timer: NodeJS.Timeout | undefined;
  #changedAt = Date.now();
  #position: number;
  #dataVersion: number;
  #dispatching = false;
  #scheduled: NodeJS.Immediate | undefined;

  constructor(store: Store, resources: Resources) {
    this.#store = store;
    this.#resources = resources;
    this.#dataVersion = store.dataVersion();
    this.#position = store.revision();
    for (const row of store.rows(crds, { part: "body" })) resources.define(JSON.parse(row.body));
    this.#poll();
  }

  #poll(): void {
    const busy = Date.now() - this.#changedAt < busyMs;
    this.#timer = setTimeout(
      () => {
        this.refresh();
        this.#poll();
      },
      busy ? busyPollMs : idlePollMs,
    );
  }

  /** The newest resourceVersion that listeners have been told of. */
  get position(): number {
    return this.#position;
  }

  /** Calls `listener` with every later change; returns the unsubscriber. */
  subscribe(listener: (change: FeedChange) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Something was committed here: dispatch soon, after the caller has finished. */
  poke(): void {
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined;
      this.dispatch();
    });
  }

  /** Dispatches if another process has written. */
  refresh(): void {
    const version = this.#store.dataVersion();
    if (version === this.#dataVersion) return;
    this.#dataVersion = version;
    this.dispatch();
  }

  /** Tells the listeners all that is committed. */
  dispatch(): void {
    if (this.#dispatching) {
      this.poke();
      return;
    }
    this.#dispatching = true;
    try {
      for (const stored of this.#store.changesAfter(this.#position)) {
        this.#position = stored.rv;
        this.#changedAt = Date.now();
        const change = feedChange(stored);
        if (change.resource === crds) this.#define(change);
        for (const listener of [...this.#listeners]) listener(change);
      }
    } finally {
      this.#dispatching = false;
    }
  }

  #define(change: FeedChange): void {
    if (change.type === "DELETED") this.#resources.undefine(change.object.metadata.name);
    else this.#resources.define(change.object);
  }

  close(): void {
    clearTimeout(this.#timer);
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#listeners.clear();
  }
}
