import type { Changes } from "../cluster/reflector.ts";
import type { Proof } from "../monitoring/metrics.ts";
import type { ApplicationFacts, NamespaceFacts, RunFacts, WorkloadFacts } from "./facts.ts";
import { isNewer } from "./facts.ts";
import { byUrgency, namespaceRow, rowOf, type Scraping } from "./row.ts";
import {
  type DataStore,
  hasOwnNamespace,
  type Service,
  type ServiceRef,
  serviceKey,
  serviceOfKey,
} from "./service.ts";

/**
 * The dashboard's rows, kept up to date piece by piece: facts go in as they come, and only the rows they touch are
 * made again. Rows that stay as they were stay the same objects, so that screens can tell. A row is a service's:
 * that of each namespace `app-NAME`, and every other of which there is an Application, a workload or a data store. A
 * namespace that services may share has a row of its own while it has none.
 */
export class FleetIndex {
  readonly #namespaces = new Map<string, NamespaceFacts>();
  /** Applications, workloads and data stores by `namespace/name`, as their object is called. */
  readonly #applications = new Map<string, ApplicationFacts>();
  readonly #workloads = new Map<string, WorkloadFacts>();
  readonly #databases = new Map<string, WorkloadFacts>();
  readonly #caches = new Map<string, WorkloadFacts>();
  /** Names of the services of a namespace that is not their own, by namespace. */
  readonly #sharing = new Map<string, Set<string>>();
  readonly #runs = new Map<string, RunFacts>();
  readonly #newestRun = new Map<string, RunFacts>();
  /** What follows is by {@link serviceKey}. */
  readonly #problems = new Map<string, string>();
  readonly #rows = new Map<string, Service>();
  #dirty = new Set<string>();
  #scraping: Scraping = { state: "unasked" };
  #complete = false;
  #sorted: readonly Service[] = [];

  /** What needs a person first. A new array after each {@link update} that changed something. */
  get services(): readonly Service[] {
    return this.#sorted;
  }

  takeNamespaces({ changed, removed }: Changes<NamespaceFacts>): void {
    for (const [name, facts] of changed) {
      this.#namespaces.set(name, facts);
      this.#touchAllOf(facts);
    }
    for (const name of removed) {
      const facts = this.#namespaces.get(name);
      this.#namespaces.delete(name);
      if (facts !== undefined) this.#touchAllOf(facts);
    }
  }

  takeApplications({ changed, removed }: Changes<ApplicationFacts>): void {
    for (const facts of changed.values()) this.#put(this.#applications, facts, facts.name);
    for (const key of removed) this.#drop(this.#applications, key, "");
  }

  takeDeployments({ changed, removed }: Changes<WorkloadFacts>): void {
    for (const facts of changed.values()) {
      if (facts.component === "workload") this.#put(this.#workloads, facts, facts.name);
    }
    for (const key of removed) this.#drop(this.#workloads, key, "");
  }

  takeStatefulSets({ changed, removed }: Changes<WorkloadFacts>): void {
    for (const facts of changed.values()) {
      if (facts.component === "database") this.#put(this.#databases, facts, ownerOf(facts.name, databaseEnd));
      if (facts.component === "cache") this.#put(this.#caches, facts, ownerOf(facts.name, cacheEnd));
    }
    for (const key of removed) {
      this.#drop(this.#databases, key, databaseEnd);
      this.#drop(this.#caches, key, cacheEnd);
    }
  }

  takeRuns(changed: Iterable<RunFacts>, removed: Iterable<string> = []): void {
    const refused: string[] = [];
    for (const run of changed) {
      // Nothing came of it: it is not the last thing that was done with the service.
      if (run.phase === "Refused") {
        refused.push(run.name);
        continue;
      }
      this.#runs.set(run.name, run);
      const newest = this.#newestRun.get(run.service);
      if (newest?.name === run.name || isNewer(run, newest)) this.#setNewest(run.service, run);
    }
    for (const name of [...removed, ...refused]) {
      const run = this.#runs.get(name);
      this.#runs.delete(name);
      if (run === undefined || this.#newestRun.get(run.service)?.name !== name) continue;
      let newest: RunFacts | undefined;
      for (const other of this.#runs.values()) {
        if (other.service === run.service && isNewer(other, newest)) newest = other;
      }
      this.#setNewest(run.service, newest);
    }
  }

  takeScraping(scraping: Scraping): void {
    this.#scraping = scraping;
    this.#everything();
  }

  /** Everything there is was listed: from now on, what a row lacks does not exist. */
  takeComplete(): void {
    if (this.#complete) return;
    this.#complete = true;
    this.#everything();
  }

  /** @param key - a row's {@link serviceKey} */
  takeProblem(key: string, problem: string): void {
    if (!this.#rows.has(key) || (this.#problems.get(key) ?? "") === problem) return;
    this.#problems.set(key, problem);
    this.#dirty.add(key);
  }

  /** The workload of a row, where it has fewer ready pods than it wants. @param key - its {@link serviceKey} */
  unready(key: string): WorkloadFacts | undefined {
    const { namespace, name } = serviceOfKey(key);
    const workload = this.#workloads.get(`${namespace}/${name}`);
    return workload !== undefined && workload.pods.ready < workload.pods.wanted ? workload : undefined;
  }

  /** Makes the rows that have changed again. Whether any is different from before. */
  update(): boolean {
    const before: Service[] = [];
    const after: Service[] = [];
    for (const key of this.#dirty) {
      const old = this.#rows.get(key);
      const row = this.#row(key);
      if (old !== undefined && row !== undefined && sameRow(old, row)) continue;
      if (old !== undefined) before.push(old);
      if (row === undefined) {
        this.#rows.delete(key);
        this.#problems.delete(key);
      } else {
        this.#rows.set(key, row);
        after.push(row);
      }
    }
    this.#dirty = new Set();
    if (before.length === 0 && after.length === 0) return false;
    const gone = new Set(before);
    this.#sorted = merged(
      gone.size === 0 ? this.#sorted : this.#sorted.filter((row) => !gone.has(row)),
      after.sort(byUrgency),
    );
    return true;
  }

  #row(key: string): Service | undefined {
    const { name, namespace } = serviceOfKey(key);
    const facts = this.#namespaces.get(namespace);
    if (facts === undefined) return undefined;
    if (name === "") return this.#sharing.has(namespace) ? undefined : namespaceRow(facts, this.#complete);
    const own = facts.service === name;
    if (!own && this.#sharing.get(namespace)?.has(name) !== true) return undefined;
    const object = `${namespace}/${name}`;
    return rowOf({
      name,
      namespace: facts,
      application: this.#applications.get(object),
      workload: this.#workloads.get(object),
      database: this.#databases.get(object + databaseEnd),
      cache: this.#caches.get(object + cacheEnd),
      run: own ? this.#newestRun.get(name) : undefined,
      scraping: this.#scraping,
      problem: this.unready(key) === undefined ? "" : (this.#problems.get(key) ?? ""),
      complete: this.#complete,
    });
  }

  #setNewest(service: string, run: RunFacts | undefined): void {
    if (run === undefined) this.#newestRun.delete(service);
    else this.#newestRun.set(service, run);
    this.#dirty.add(service);
  }

  #put<T extends ServiceRef>(map: Map<string, T>, facts: T, service: string): void {
    map.set(`${facts.namespace}/${facts.name}`, facts);
    this.#touch(facts.namespace, service);
  }

  /**
   * @param key - `namespace/name` of an object that is gone
   * @param end - what its name has behind that of its service
   */
  #drop<T>(map: Map<string, T>, key: string, end: string): void {
    if (!map.delete(key)) return;
    const at = key.indexOf("/");
    this.#touch(key.slice(0, at), ownerOf(key.slice(at + 1), end));
  }

  /** Something of a service has come, changed or gone. */
  #touch(namespace: string, service: string): void {
    const ref = { kind: "service", namespace, name: service } as const;
    this.#dirty.add(serviceKey(ref));
    if (hasOwnNamespace(ref)) return;
    const object = `${namespace}/${service}`;
    const there =
      this.#applications.has(object) ||
      this.#workloads.has(object) ||
      this.#databases.has(object + databaseEnd) ||
      this.#caches.has(object + cacheEnd);
    const sharing = this.#sharing.get(namespace) ?? new Set();
    if (sharing.has(service) === there) return;
    if (there) sharing.add(service);
    else sharing.delete(service);
    if (sharing.size === 0) this.#sharing.delete(namespace);
    else this.#sharing.set(namespace, sharing);
    const facts = this.#namespaces.get(namespace);
    if (facts !== undefined) this.#touchAllOf(facts);
  }

  /** Every row of a namespace. */
  #touchAllOf({ name: namespace, service }: NamespaceFacts): void {
    this.#dirty.add(service === "" ? `${namespace}/` : service);
    for (const name of this.#sharing.get(namespace) ?? []) {
      this.#dirty.add(serviceKey({ kind: "service", namespace, name }));
    }
  }

  #everything(): void {
    for (const facts of this.#namespaces.values()) this.#touchAllOf(facts);
  }
}

/** Ends of the names of a service's data stores. */
const databaseEnd = "-db";
const cacheEnd = "-cache";

/** The service whose part is named so. */
function ownerOf(name: string, end: string): string {
  return end !== "" && name.endsWith(end) ? name.slice(0, -end.length) : name;
}

/** Two sorted lists as one: linear, however many rows there are. */
function merged(rows: readonly Service[], news: readonly Service[]): readonly Service[] {
  if (rows.length === 0) return news;
  const all: Service[] = [];
  let next = 0;
  for (const row of rows) {
    for (let fresh = news[next]; fresh !== undefined && byUrgency(fresh, row) < 0; fresh = news[next]) {
      all.push(fresh);
      next++;
    }
    all.push(row);
  }
  for (; next < news.length; next++) {
    const fresh = news[next];
    if (fresh !== undefined) all.push(fresh);
  }
  return all;
}

/** Whether two rows show the same. Written out, because it is asked of every row after each answer of Prometheus. */
function sameRow(a: Service, b: Service): boolean {
  return (
    a.name === b.name &&
    a.namespace === b.namespace &&
    a.team === b.team &&
    a.verdict === b.verdict &&
    a.reason === b.reason &&
    a.image === b.image &&
    a.starter === b.starter &&
    a.createdAt === b.createdAt &&
    a.replicas?.ready === b.replicas?.ready &&
    a.replicas?.wanted === b.replicas?.wanted &&
    sameStore(a.database, b.database) &&
    sameStore(a.cache, b.cache) &&
    sameProof(a.monitoring, b.monitoring) &&
    a.firing?.join() === b.firing?.join() &&
    a.lastRun?.name === b.lastRun?.name &&
    a.lastRun?.phase === b.lastRun?.phase
  );
}

function sameStore(a: DataStore, b: DataStore): boolean {
  if (a.type === "none" || b.type === "none") return a.type === b.type;
  return a.type === b.type && a.ready === b.ready;
}

function sameProof(a: Proof, b: Proof): boolean {
  if (a.status === "proven" && b.status === "proven") return a.targets === b.targets;
  return a.status === b.status && reasonOf(a) === reasonOf(b);
}

function reasonOf(proof: Proof): string {
  return "reason" in proof ? proof.reason : "";
}
