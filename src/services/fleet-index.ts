import type { ServiceRef } from "../application/service-ref.ts";
import type { Changes } from "../cluster/reflector.ts";
import type { Proof } from "../monitoring/metrics.ts";
import { isOver } from "../provisioning/engine/decide.ts";
import type { ApplicationFacts, NamespaceFacts, RunFacts, WorkloadFacts } from "./facts.ts";
import { isNewer } from "./facts.ts";
import { byUrgency, namespaceRow, rowOf, type Scraping } from "./row.ts";
import { type DataStore, type Service, serviceKey, serviceOfKey } from "./service.ts";

/**
 * The dashboard's rows, kept up to date piece by piece: facts go in as they come, and only the rows they touch are
 * made again. Rows that stay as they were stay the same objects, so that screens can tell. A row is a service's:
 * that of each namespace `app-NAME`, and every other of which there is an Application, a workload, a data store or a run
 * that is not over. A namespace that services may share has a row of its own while it has none.
 */
export class FleetIndex {
  /** All but the runs by the key of the row they belong to, a namespace by that of its own; of the runs, the newest. */
  readonly #namespaces = new Map<string, NamespaceFacts>();
  readonly #applications = new Map<string, ApplicationFacts>();
  readonly #workloads = new Map<string, WorkloadFacts>();
  readonly #databases = new Map<string, WorkloadFacts>();
  readonly #caches = new Map<string, WorkloadFacts>();
  readonly #problems = new Map<string, string>();
  readonly #rows = new Map<string, Service>();
  /** Keys of the services in a namespace that is not their own, by that namespace. */
  readonly #sharing = new Map<string, Set<string>>();
  readonly #runs = new Map<string, RunFacts>();
  readonly #newestRun = new Map<string, RunFacts>();
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
      this.#namespaces.set(rowOfNamespace(name), facts);
      this.#touchAllOf(name);
    }
    for (const name of removed) {
      this.#namespaces.delete(rowOfNamespace(name));
      this.#touchAllOf(name);
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
    const workload = this.#workloads.get(key);
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
    const at = key.indexOf("/");
    const own = at === -1;
    if (at === key.length - 1 && !own) {
      const facts = this.#namespaces.get(key);
      const taken = facts === undefined || this.#sharing.has(facts.name);
      return taken ? undefined : namespaceRow(facts, this.#complete);
    }
    const place = own ? key : rowOfNamespace(key.slice(0, at));
    const namespace = this.#namespaces.get(place);
    if (namespace === undefined || !(own || this.#isThere(key))) return undefined;
    return rowOf({
      name: own ? namespace.service : key.slice(at + 1),
      namespace,
      application: this.#applications.get(key),
      workload: this.#workloads.get(key),
      database: this.#databases.get(key),
      cache: this.#caches.get(key),
      run: this.#newestRun.get(key),
      scraping: this.#scraping,
      problem: this.unready(key) === undefined ? "" : (this.#problems.get(key) ?? ""),
      complete: this.#complete,
    });
  }

  /** Whether anything of a service is known but its namespace. */
  #isThere(key: string): boolean {
    const run = this.#newestRun.get(key);
    return (
      (run !== undefined && !isOver(run)) ||
      this.#applications.has(key) ||
      this.#workloads.has(key) ||
      this.#databases.has(key) ||
      this.#caches.has(key)
    );
  }

  #setNewest(key: string, run: RunFacts | undefined): void {
    if (run === undefined) this.#newestRun.delete(key);
    else this.#newestRun.set(key, run);
    this.#touch(key, serviceOfKey(key).namespace);
  }

  #put<T>(map: Map<string, T>, facts: T & ServiceRef, service: string): void {
    const key = serviceKey({ kind: "service", namespace: facts.namespace, name: service });
    map.set(key, facts);
    this.#touch(key, facts.namespace);
  }

  /**
   * @param object - `namespace/name` of what is gone; another of its kind may have taken its place
   * @param end - what its name has behind that of its service
   */
  #drop(map: Map<string, ServiceRef>, object: string, end: string): void {
    const { namespace, name } = serviceOfKey(object);
    const key = serviceKey({ kind: "service", namespace, name: ownerOf(name, end) });
    if (map.get(key)?.name !== name) return;
    map.delete(key);
    this.#touch(key, namespace);
  }

  /** Something of a service has come, changed or gone. */
  #touch(key: string, namespace: string): void {
    this.#dirty.add(key);
    if (!key.includes("/")) return;
    const sharing = this.#sharing.get(namespace) ?? new Set();
    const there = this.#isThere(key);
    if (sharing.has(key) === there) return;
    if (there) sharing.add(key);
    else sharing.delete(key);
    if (sharing.size === 0) this.#sharing.delete(namespace);
    else this.#sharing.set(namespace, sharing);
    this.#dirty.add(rowOfNamespace(namespace));
  }

  /** Every row of a namespace. */
  #touchAllOf(namespace: string): void {
    this.#dirty.add(rowOfNamespace(namespace));
    for (const key of this.#sharing.get(namespace) ?? []) this.#dirty.add(key);
  }

  #everything(): void {
    for (const key of this.#namespaces.keys()) this.#dirty.add(key);
    for (const keys of this.#sharing.values()) for (const key of keys) this.#dirty.add(key);
  }
}

/** Ends of the names of a service's data stores. */
const databaseEnd = "-db";
const cacheEnd = "-cache";

/** The service whose part is named so. */
function ownerOf(name: string, end: string): string {
  return end !== "" && name.endsWith(end) ? name.slice(0, -end.length) : name;
}

/** Key of the row that a namespace has, whatever is in it: its own service's, or that of a namespace without services. */
function rowOfNamespace(namespace: string): string {
  return namespace.startsWith("app-") ? namespace.slice("app-".length) : `${namespace}/`;
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
