import type { Cluster, ListOptions } from "./cluster.ts";
import { ClusterError, isClusterError } from "./errors.ts";
import type { KubeList, KubeObject, WatchEvent } from "./object.ts";
import type { Resource } from "./resource.ts";
import { systemTiming, type Timing } from "./timing.ts";

/** How far what a reflector holds can be trusted. */
export type Freshness =
  /** The first list is not complete. */
  | { readonly state: "loading"; readonly lastError: ClusterError | undefined }
  /** Complete, and the server tells of changes as they happen. */
  | { readonly state: "live"; readonly lastError: undefined }
  /** Complete as of `since`; the server cannot be asked just now, and is tried again. */
  | { readonly state: "stale"; readonly since: Date; readonly lastError: ClusterError };

/** What changed since the last batch. */
export interface Changes<T> {
  /** New or changed, by key. */
  readonly changed: ReadonlyMap<string, T>;
  /** Keys of objects that are gone. */
  readonly removed: ReadonlySet<string>;
  /** The first list is complete: what is not in the store does not exist. */
  readonly complete: boolean;
}

export interface ReflectorOptions<T> {
  readonly cluster: Cluster;
  readonly resource: Resource;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** `metadata`: objects without spec and status, a tenth of the bytes. */
  readonly mode: "full" | "metadata";
  /** What to keep of an object; keeping little is what bounds memory. */
  readonly keep: (object: KubeObject) => T;
  /** Changes, in batches; the store holds them already. */
  readonly onChanges?: (changes: Changes<T>) => void;
  readonly onFreshness?: (freshness: Freshness) => void;
  /** Objects of the first page, which is delivered at once. Default 50. */
  readonly firstPage?: number;
  /** Objects of further pages. Default 500. */
  readonly page?: number;
  /** Changes of a watch are gathered for so long. Default 50 ms. */
  readonly batchMs?: number;
  /** What is gone is told at once, with all that was gathered. Default: no. */
  readonly removalsAtOnce?: boolean;
  readonly timing?: Timing;
}

const shortestBackoffMs = 500;
const longestBackoffMs = 30_000;
/** A watch that lasted this long, or brought something, ends a series of failures. */
const healthyWatchMs = 5_000;

/**
 * Whether one resourceVersion is older than another: they are decimal numbers that grow
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions). Of what is no number nothing is known.
 */
function isOlder(version: string, than: string): boolean {
  if (!decimal.test(version) || !decimal.test(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}

const decimal = /^[1-9]\d*$/;

/** Key of an object in a reflector's store: `namespace/name`, or `name` where it is cluster-scoped. */
export function keyOf(object: Pick<KubeObject, "metadata">): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}

/**
 * A live copy of a resource's objects, after client-go's reflector: lists in pages, watches from there with
 * bookmarks, resumes where a watch ended, lists again when the server has forgotten that version, waits longer
 * after each failure, and never gives up before its signal aborts.
 */
export class Reflector<T = KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #timing: Timing;
  readonly #store = new Map<string, T>();
  /** resourceVersion of each object in the store, to leave out of a batch what a new list brings unchanged. */
  readonly #versions = new Map<string, string>();
  /** Versions of our own writes that the server has not told of yet. */
  readonly #learned = new Map<string, string>();
  #changed = new Map<string, T>();
  #removed = new Set<string>();
  #flushing = false;
  #complete = false;
  #completeTold = false;
  #failures = 0;
  #freshness: Freshness = { state: "loading", lastError: undefined };

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#timing = options.timing ?? systemTiming;
  }

  /** What is known, by key. Live: do not keep it across batches. */
  get objects(): ReadonlyMap<string, T> {
    return this.#store;
  }

  get freshness(): Freshness {
    return this.#freshness;
  }

  /**
   * Takes an object as a write of our own has answered it, so that what is held is never older than what we have
   * written. It is no news: no batch brings it, now or when the watch tells of it.
   */
  learn(object: KubeObject): void {
    const key = keyOf(object);
    const version = object.metadata.resourceVersion ?? "";
    const held = this.#versions.get(key);
    if (held === version || (held !== undefined && isOlder(version, held))) return;
    this.#learned.set(key, version);
    this.#versions.set(key, version);
    this.#store.set(key, this.#options.keep(object));
    this.#removed.delete(key);
  }

  /** Whether what the server tells is from before a write of ours that is known already. */
  #isOutdated(key: string, version: string): boolean {
    const learned = this.#learned.get(key);
    if (learned === undefined) return false;
    if (isOlder(version, learned)) return true;
    this.#learned.delete(key);
    return false;
  }

  /** Runs until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    let version: string | undefined;
    while (!signal.aborted) {
      try {
        version ??= await this.#list(signal);
        version = await this.#watch(version, signal);
        if (this.#failures > 0) await this.#backOff(undefined, signal);
      } catch (error) {
        if (signal.aborted) break;
        const failure = asClusterError(error);
        // Forgotten by the server: not an outage. What is held stays on view until the new list is there.
        if (failure.kind === "expired") version = undefined;
        else this.#fail(failure);
        if (error instanceof Ended) version = error.version;
        this.#failures++;
        await this.#backOff(failure, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const seen = new Set<string>();
    let token: string | undefined;
    let limit: number | undefined = this.#options.firstPage ?? 50;
    for (;;) {
      let list: KubeList;
      try {
        list = await this.#page(limit, token, signal);
      } catch (error) {
        if (token === undefined || !isClusterError(error, "expired")) throw error;
        // The pages took longer than the server keeps a version: ask for all at once.
        token = undefined;
        limit = undefined;
        seen.clear();
        continue;
      }
      for (const item of list.items) {
        seen.add(keyOf(item));
        this.#put(item);
      }
      if (list.continue === undefined) {
        for (const key of this.#store.keys()) if (!seen.has(key)) this.#remove(key, list.resourceVersion);
        this.#complete = true;
        this.#flush();
        return list.resourceVersion;
      }
      this.#flush();
      token = list.continue;
      limit = this.#options.page ?? 500;
    }
  }

  #page(limit: number | undefined, token: string | undefined, signal: AbortSignal): Promise<KubeList> {
    const { cluster, resource, mode } = this.#options;
    const options: ListOptions = {
      ...this.#selection(),
      ...(limit === undefined ? {} : { limit }),
      ...(token === undefined ? {} : { continue: token }),
      signal,
    };
    return mode === "metadata" ? cluster.listMetadata(resource, options) : cluster.list(resource, options);
  }

  #selection(): Pick<ListOptions, "namespace" | "labelSelector" | "fieldSelector"> {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
  }

  /** One watch, to its end. Resolves to the version that the next one starts from. */
  async #watch(from: string, signal: AbortSignal): Promise<string> {
    const { cluster, resource, mode } = this.#options;
    const opened = this.#timing.now().getTime();
    let version = from;
    let events = 0;
    try {
      for await (const event of cluster.watch(resource, {
        ...this.#selection(),
        resourceVersion: from,
        metadataOnly: mode === "metadata",
        onOpen: () => this.#setFreshness({ state: "live", lastError: undefined }),
        signal,
      })) {
        events++;
        this.#failures = 0;
        version = this.#take(event, signal) ?? version;
      }
    } catch (error) {
      if (signal.aborted || isClusterError(error, "expired")) throw error;
      throw new Ended(asClusterError(error), version);
    }
    const lasted = this.#timing.now().getTime() - opened;
    // A server that closes each watch at once is not to be asked in a tight loop.
    if (events === 0 && lasted < healthyWatchMs) this.#failures++;
    else this.#failures = 0;
    return version;
  }

  #take(event: WatchEvent, signal: AbortSignal): string | undefined {
    if (event.type === "BOOKMARK") return event.resourceVersion;
    if (event.type === "DELETED") this.#remove(keyOf(event.object), event.object.metadata.resourceVersion);
    else this.#put(event.object);
    if (event.type === "DELETED" && this.#options.removalsAtOnce === true) this.#flush();
    else if (!this.#flushing) {
      this.#flushing = true;
      this.#timing.sleep(this.#options.batchMs ?? 50, signal).then(
        () => this.#flush(),
        () => undefined,
      );
    }
    return event.object.metadata.resourceVersion;
  }

  #put(object: KubeObject): void {
    const key = keyOf(object);
    const version = object.metadata.resourceVersion ?? "";
    if (version !== "" && (this.#isOutdated(key, version) || this.#versions.get(key) === version)) return;
    const kept = this.#options.keep(object);
    this.#versions.set(key, version);
    this.#store.set(key, kept);
    this.#removed.delete(key);
    this.#changed.set(key, kept);
  }

  /** @param at - the version as of which it is gone */
  #remove(key: string, at: string | undefined): void {
    if (at !== undefined && this.#isOutdated(key, at)) return;
    this.#versions.delete(key);
    if (!this.#store.delete(key)) return;
    this.#changed.delete(key);
    this.#removed.add(key);
  }

  #flush(): void {
    this.#flushing = false;
    const news = this.#complete && !this.#completeTold;
    if (this.#changed.size === 0 && this.#removed.size === 0 && !news) return;
    if (this.#complete) this.#completeTold = true;
    const changes = { changed: this.#changed, removed: this.#removed, complete: this.#complete };
    this.#changed = new Map();
    this.#removed = new Set();
    this.#options.onChanges?.(changes);
  }

  #fail(error: ClusterError): void {
    const before = this.#freshness;
    if (this.#complete) {
      const since = before.state === "stale" ? before.since : this.#timing.now();
      this.#setFreshness({ state: "stale", since, lastError: error });
    } else {
      this.#setFreshness({ state: "loading", lastError: error });
    }
  }

  #setFreshness(freshness: Freshness): void {
    if (freshness.state === "live" && this.#freshness.state === "live") return;
    this.#freshness = freshness;
    this.#options.onFreshness?.(freshness);
  }

  async #backOff(error: ClusterError | undefined, signal: AbortSignal): Promise<void> {
    // The first failure after a healthy time is mostly a server that restarts a connection: soon, but not at once.
    const ceiling = Math.min(longestBackoffMs, shortestBackoffMs * 2 ** Math.max(0, this.#failures - 1));
    const jittered = ceiling * (0.5 + this.#timing.random() / 2);
    try {
      await this.#timing.sleep(Math.max(jittered, error?.retryAfterMs ?? 0), signal);
    } catch {
      // Aborted: the loop ends.
    }
  }
}

/** A watch that broke, and how far it had come. */
class Ended extends Error {
  readonly failure: ClusterError;
  readonly version: string;

  constructor(failure: ClusterError, version: string) {
    super(failure.message);
    this.failure = failure;
    this.version = version;
  }
}

function asClusterError(error: unknown): ClusterError {
  if (error instanceof Ended) return error.failure;
  if (error instanceof ClusterError) return error;
  return new ClusterError("server", error instanceof Error ? error.message : String(error), { cause: error });
}
