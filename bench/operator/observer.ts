import { labels } from "../../src/application/names.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { conditionsOf } from "../../src/cluster/conditions.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { Reflector } from "../../src/cluster/reflector.ts";
import { type Resource, resources } from "../../src/cluster/resource.ts";

/** What the benchmark's Application consists of: seven objects of five kinds. */
const childKinds = [
  resources.deployments,
  resources.services,
  resources.serviceAccounts,
  resources.podDisruptionBudgets,
  resources.networkPolicies,
] as const;
export const childrenEach = 7;

/** When what was seen of one Application; in milliseconds of `performance.now()`. */
export interface Sighting {
  readonly children: Set<string>;
  /** Its seventh child came. */
  completeAt?: number;
  /** Its status said `Ready` for the first time. */
  readyAt?: number;
}

interface Waiter {
  readonly fits: (object: Child) => boolean;
  readonly done: (at: number) => void;
}

interface Child {
  readonly uid: string;
  readonly application: string;
  readonly generation: number;
}

/** Watches Applications and their children, and remembers when it was told of what. */
export class Observer {
  readonly #sightings = new Map<string, Sighting>();
  readonly #children = new Map<string, Child>();
  readonly #waiters = new Map<string, Waiter>();
  readonly #stop = new AbortController();

  /** Resolves once all watches stand. */
  async start(cluster: Cluster): Promise<void> {
    await Promise.all([
      this.#watch(cluster, resources.applications, "full", (object) => this.#application(object)),
      ...childKinds.map((kind) =>
        this.#watch(cluster, kind, "metadata", (object) => this.#child(kind, object)),
      ),
    ]);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Of an Application by its name; names are used once. */
  of(application: string): Sighting {
    const known = this.#sightings.get(application);
    if (known !== undefined) return known;
    const made: Sighting = { children: new Set() };
    this.#sightings.set(application, made);
    return made;
  }

  /** Whether there are children of these Applications now. */
  hasChildrenOf(applications: ReadonlySet<string>): boolean {
    return [...this.#children.values()].some(({ application }) => applications.has(application));
  }

  child(kind: Resource, name: string): Child | undefined {
    return this.#children.get(`${kind.plural} ${name}`);
  }

  /** When the child is first seen as `fits` wants it, from now on. */
  seen(kind: Resource, name: string, fits: (object: Child) => boolean): Promise<number> {
    const key = `${kind.plural} ${name}`;
    return new Promise((done) => this.#waiters.set(key, { fits, done }));
  }

  #watch(
    cluster: Cluster,
    resource: Resource,
    mode: "full" | "metadata",
    take: (object: KubeObject) => void,
  ): Promise<void> {
    return new Promise((resolve) => {
      const reflector = new Reflector<KubeObject | undefined>({
        cluster,
        resource,
        mode,
        batchMs: 1,
        firstPage: 500,
        // Each version is looked at as it comes; of what is gone only the key is told.
        keep: (object) => {
          take(object);
          return undefined;
        },
        ...(mode === "metadata" ? { labelSelector: `${labels.managed}=true,${labels.service}` } : {}),
        onChanges: ({ removed, complete }) => {
          for (const key of removed) {
            const name = key.slice(key.indexOf("/") + 1);
            this.#children.delete(`${resource.plural} ${name}`);
          }
          if (complete) resolve();
        },
      });
      void reflector.run(this.#stop.signal);
    });
  }

  #application(object: KubeObject): void {
    const sighting = this.of(object.metadata.name);
    if (sighting.readyAt !== undefined) return;
    const ready = conditionsOf(object).some(({ type, status }) => type === "Ready" && status === "True");
    if (ready) sighting.readyAt = performance.now();
  }

  #child(kind: Resource, { metadata }: KubeObject): void {
    const at = performance.now();
    const key = `${kind.plural} ${metadata.name}`;
    const application = metadata.labels?.[labels.service] ?? "";
    const child = { uid: metadata.uid ?? "", application, generation: metadata.generation ?? 0 };
    this.#children.set(key, child);
    const sighting = this.of(application);
    sighting.children.add(key);
    if (sighting.children.size === childrenEach) sighting.completeAt ??= at;
    const waiter = this.#waiters.get(key);
    if (waiter?.fits(child) !== true) return;
    this.#waiters.delete(key);
    waiter.done(at);
  }
}
