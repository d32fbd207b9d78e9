import { labels } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { type Changes, keyOf, Reflector } from "../../cluster/reflector.ts";
import { definitionOf, type Resource, resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";
import { errorFields, type Log } from "../log.ts";
import { type Child, childOf, sameChild } from "./child.ts";
import { childKinds, kindOf } from "./kinds.ts";

/** An object as the store knows it. */
export interface StoredChild {
  readonly resource: Resource;
  /** `namespace/name`. */
  readonly key: string;
  readonly child: Child;
}

export interface ChildStoreOptions {
  readonly cluster: Cluster;
  readonly timing: Timing;
  readonly log: Log;
  /** An object that is or was this came, changed or went; not told of our own writes. */
  readonly onChild: (stored: StoredChild) => void;
  /** A kind is served from now on, or no more. */
  readonly onKinds: () => void;
}

interface Watched {
  readonly resource: Resource;
  readonly reflector: Reflector<Child>;
  readonly stop: AbortController;
  complete: boolean;
}

/** Changes of a watch are gathered for so long, in milliseconds: one rollout is several within moments. */
const batchMs = 15;
/** How long a definition that has come may take until its kind is served, in milliseconds. */
const establishedWithinMs = 30_000;

/**
 * What is there of all that Applications and managed namespaces consist of: a watch a kind, over all namespaces. Kinds
 * that the cluster does not serve are left out, and watched once it does.
 */
export class ChildStore {
  readonly #options: ChildStoreOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #byApplication = new Map<string, Map<string, StoredChild>>();
  readonly #known = new Map<string, StoredChild>();
  #revision = 0;

  constructor(options: ChildStoreOptions) {
    this.#options = options;
  }

  /** Resolves once everything that is served is known. Watches until the signal aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const { cluster } = this.#options;
    const served = await Promise.all(
      childKinds.map(async (resource) => ((await cluster.serves(resource)) ? [resource] : [])),
    );
    await Promise.all(served.flat().map((resource) => this.#watch(resource, signal)));
    this.#followDefinitions(signal);
  }

  /** Whether the kind is served, so that its objects can be. */
  serves(resource: Pick<Resource, "group" | "version" | "kind">): boolean {
    return this.#watched.has(kindOf(resource));
  }

  /** Grows when kinds come or go. */
  get revision(): number {
    return this.#revision;
  }

  get(resource: Resource, key: string): Child | undefined {
    return this.#watched.get(kindOf(resource))?.reflector.objects.get(key);
  }

  /** Everything of one Application, by its key. */
  of(application: string): readonly StoredChild[] {
    return [...(this.#byApplication.get(application)?.values() ?? [])];
  }

  /** Takes what a write of ours has answered. */
  learn(resource: Resource, object: KubeObject): Child {
    const watched = this.#watched.get(kindOf(resource));
    const key = keyOf(object);
    watched?.reflector.learn(object);
    const child = watched?.reflector.objects.get(key) ?? childOf(object);
    if (watched !== undefined) this.#index({ resource, key, child });
    return child;
  }

  #watch(resource: Resource, signal: AbortSignal): Promise<void> {
    const { cluster, timing, log } = this.#options;
    return new Promise((resolve) => {
      const stop = new AbortController();
      const reflector = new Reflector<Child>({
        cluster,
        timing,
        resource,
        mode: "full",
        labelSelector: `${labels.managed}=true`,
        keep: childOf,
        firstPage: 500,
        batchMs,
        removalsAtOnce: true,
        onChanges: (changes) => {
          this.#take(resource, changes);
          if (!changes.complete || watched.complete) return;
          watched.complete = true;
          resolve();
        },
        onFreshness: ({ state, lastError }) => {
          if (lastError === undefined) return;
          log.warn(`${resource.plural} cannot be watched just now`, { state, ...errorFields(lastError) });
        },
      });
      const watched: Watched = { resource, reflector, stop, complete: false };
      this.#watched.set(kindOf(resource), watched);
      const both = AbortSignal.any([signal, stop.signal]);
      // What is stopped before it was complete is waited for no longer.
      void reflector.run(both).then(resolve);
    });
  }

  #take(resource: Resource, { changed, removed }: Changes<Child>): void {
    for (const [key, child] of changed) {
      const before = this.#known.get(`${kindOf(resource)} ${key}`);
      const stored = { resource, key, child };
      this.#index(stored);
      if (before !== undefined && sameChild(before.child, child)) continue;
      if (before !== undefined && before.child.application !== child.application) {
        this.#options.onChild(before);
      }
      this.#options.onChild(stored);
    }
    for (const key of removed) {
      const before = this.#known.get(`${kindOf(resource)} ${key}`);
      if (before === undefined) continue;
      this.#forget(before);
      this.#options.onChild(before);
    }
  }

  #index(stored: StoredChild): void {
    const id = `${kindOf(stored.resource)} ${stored.key}`;
    const { application } = stored.child;
    const before = this.#known.get(id);
    if (before !== undefined && before.child.application !== application) this.#forget(before);
    this.#known.set(id, stored);
    if (application === undefined) return;
    const siblings = this.#byApplication.get(application) ?? new Map<string, StoredChild>();
    siblings.set(id, stored);
    this.#byApplication.set(application, siblings);
  }

  #forget({ resource, key, child: { application } }: StoredChild): void {
    const id = `${kindOf(resource)} ${key}`;
    this.#known.delete(id);
    if (application === undefined) return;
    const siblings = this.#byApplication.get(application);
    siblings?.delete(id);
    if (siblings?.size === 0) this.#byApplication.delete(application);
  }

  /** Kinds come and go with their definitions. */
  #followDefinitions(signal: AbortSignal): void {
    const { cluster, timing } = this.#options;
    const byName = new Map(childKinds.map((resource) => [definitionOf(resource), resource]));
    const reflector = new Reflector<true>({
      cluster,
      timing,
      resource: resources.customResourceDefinitions,
      mode: "metadata",
      keep: () => true,
      firstPage: 500,
      onChanges: ({ changed, removed }) => {
        for (const name of changed.keys()) {
          const resource = byName.get(name);
          if (resource !== undefined && !this.serves(resource)) void this.#appear(resource, signal);
        }
        for (const name of removed) {
          const resource = byName.get(name);
          if (resource !== undefined) this.#disappear(resource);
        }
      },
    });
    void reflector.run(signal);
  }

  async #appear(resource: Resource, signal: AbortSignal): Promise<void> {
    const { cluster, timing, log, onKinds } = this.#options;
    const until = timing.now().getTime() + establishedWithinMs;
    try {
      while (!(await cluster.serves(resource, { refresh: true, signal }))) {
        if (timing.now().getTime() > until) return;
        await timing.sleep(250, signal);
      }
      if (this.serves(resource)) return;
      this.#revision++;
      await this.#watch(resource, signal);
      log.info(`${resource.kind} is served now`);
      if (!signal.aborted) onKinds();
    } catch (error) {
      if (!signal.aborted) {
        log.warn(`${resource.kind} cannot be watched`, errorFields(error));
      }
    }
  }

  #disappear(resource: Resource): void {
    const watched = this.#watched.get(kindOf(resource));
    if (watched === undefined) return;
    watched.stop.abort(new Error(`${resource.kind} is served no more`));
    this.#watched.delete(kindOf(resource));
    this.#revision++;
    for (const stored of [...this.#known.values()]) {
      if (kindOf(stored.resource) === kindOf(resource)) this.#forget(stored);
    }
    this.#options.log.info(`${resource.kind} is served no more`);
    this.#options.onKinds();
  }
}
