import type { Changes } from "../cluster/reflector.ts";
import type { Proof } from "../monitoring/metrics.ts";
import type { ApplicationFacts, NamespaceFacts, RunFacts, WorkloadFacts } from "./facts.ts";
import { isNewer } from "./facts.ts";
import { byUrgency, rowOf, type Scraping } from "./row.ts";
import type { DataStore, Service } from "./service.ts";

/**
 * The dashboard's rows, kept up to date piece by piece: facts go in as they come, and only the rows they touch are
 * made again. Rows that stay as they were stay the same objects, so that screens can tell.
 */
export class FleetIndex {
  readonly #namespaces = new Map<string, NamespaceFacts>();
  readonly #namespaceOf = new Map<string, string>();
  readonly #applications = new Map<string, ApplicationFacts>();
  readonly #workloads = new Map<string, WorkloadFacts>();
  readonly #databases = new Map<string, WorkloadFacts>();
  readonly #caches = new Map<string, WorkloadFacts>();
  readonly #runs = new Map<string, RunFacts>();
  readonly #newestRun = new Map<string, RunFacts>();
  readonly #problems = new Map<string, string>();
  readonly #rows = new Map<string, Service>();
  #scraping: Scraping = { state: "unasked" };
  #complete = false;
  #sorted: readonly Service[] = [];
  #dirty = new Set<string>();

  /** What needs a person first. A new array after each {@link update} that changed something. */
  get services(): readonly Service[] {
    return this.#sorted;
  }

  takeNamespaces({ changed, removed }: Changes<NamespaceFacts>): void {
    for (const [name, facts] of changed) {
      this.#namespaces.set(name, facts);
      this.#namespaceOf.set(facts.service, name);
      this.#dirty.add(name);
    }
    for (const name of removed) {
      const service = this.#namespaces.get(name)?.service;
      if (service !== undefined && this.#namespaceOf.get(service) === name) this.#namespaceOf.delete(service);
      this.#namespaces.delete(name);
      this.#problems.delete(name);
      this.#dirty.add(name);
    }
  }

  takeApplications({ changed, removed }: Changes<ApplicationFacts>): void {
    for (const facts of changed.values()) this.#put(this.#applications, facts.namespace, facts);
    for (const key of removed) this.#drop(this.#applications, key);
  }

  takeDeployments({ changed, removed }: Changes<WorkloadFacts>): void {
    for (const facts of changed.values()) {
      if (facts.component === "workload") this.#put(this.#workloads, facts.namespace, facts);
    }
    for (const key of removed) this.#drop(this.#workloads, key);
  }

  takeStatefulSets({ changed, removed }: Changes<WorkloadFacts>): void {
    for (const facts of changed.values()) {
      if (facts.component === "database") this.#put(this.#databases, facts.namespace, facts);
      if (facts.component === "cache") this.#put(this.#caches, facts.namespace, facts);
    }
    for (const key of removed) {
      this.#drop(this.#databases, key);
      this.#drop(this.#caches, key);
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

  takeProblem(namespace: string, problem: string): void {
    if (!this.#namespaces.has(namespace) || (this.#problems.get(namespace) ?? "") === problem) return;
    this.#problems.set(namespace, problem);
    this.#dirty.add(namespace);
  }

  /** The workload of a namespace, where it has fewer ready pods than it wants. */
  unready(namespace: string): WorkloadFacts | undefined {
    const workload = this.#workloads.get(namespace);
    return workload !== undefined && workload.pods.ready < workload.pods.wanted ? workload : undefined;
  }

  /** Makes the rows that have changed again. Whether any is different from before. */
  update(): boolean {
    const before: Service[] = [];
    const after: Service[] = [];
    for (const namespace of this.#dirty) {
      const old = this.#rows.get(namespace);
      const row = this.#row(namespace);
      if (old !== undefined && row !== undefined && sameRow(old, row)) continue;
      if (old !== undefined) before.push(old);
      if (row === undefined) this.#rows.delete(namespace);
      else {
        this.#rows.set(namespace, row);
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

  #row(name: string): Service | undefined {
    const namespace = this.#namespaces.get(name);
    if (namespace === undefined) return undefined;
    return rowOf({
      namespace,
      application: this.#applications.get(name),
      workload: this.#workloads.get(name),
      database: this.#databases.get(name),
      cache: this.#caches.get(name),
      run: this.#newestRun.get(namespace.service),
      scraping: this.#scraping,
      problem: this.unready(name) === undefined ? "" : (this.#problems.get(name) ?? ""),
      complete: this.#complete,
    });
  }

  #setNewest(service: string, run: RunFacts | undefined): void {
    if (run === undefined) this.#newestRun.delete(service);
    else this.#newestRun.set(service, run);
    const namespace = this.#namespaceOf.get(service);
    if (namespace !== undefined) this.#dirty.add(namespace);
  }

  #put<T>(map: Map<string, T>, namespace: string, facts: T): void {
    map.set(namespace, facts);
    this.#dirty.add(namespace);
  }

  /** `key` is `namespace/name` of an object that is gone; another of its kind may have taken its place. */
  #drop<T extends { readonly name: string }>(map: Map<string, T>, key: string): void {
    const [namespace = "", name = ""] = key.split("/");
    if (map.get(namespace)?.name !== name) return;
    map.delete(namespace);
    this.#dirty.add(namespace);
  }

  #everything(): void {
    for (const namespace of this.#namespaces.keys()) this.#dirty.add(namespace);
  }
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
