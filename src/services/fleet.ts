import pLimit from "p-limit";
import { systemNamespace } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { type Changes, type Freshness, Reflector, type ReflectorOptions } from "../cluster/reflector.ts";
import { resources } from "../cluster/resource.ts";
import type { Metrics } from "../monitoring/metrics.ts";
import type { Clock } from "../provisioning/clock.ts";
import { applicationFacts, namespaceFacts, type RunFacts, runFacts, workloadFacts } from "./facts.ts";
import { FleetIndex } from "./fleet-index.ts";
import { askMetrics, listRuns, managedSelector } from "./list.ts";
import { readProblem } from "./problem.ts";
import { type Service, serviceKey, serviceOfKey } from "./service.ts";

/** All services, as known now. */
export interface Fleet {
  /** What needs a person first. Rows that did not change are the same objects as before. */
  readonly services: readonly Service[];
  /** Every service is among them. */
  readonly listed: boolean;
  /** Everything about them has been read once, metrics apart. */
  readonly complete: boolean;
  /** Whether the rows follow the cluster. */
  readonly freshness: Freshness;
}

export interface FleetOptions {
  readonly cluster: Cluster;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Called at once with the first rows, and then at most every `intervalMs`. */
  readonly onChange: (fleet: Fleet) => void;
  /** Milliseconds between two calls of `onChange`. Default 100. */
  readonly intervalMs?: number;
}

/** Objects a page, where only their metadata is read. */
const metadataPage = 1_000;
/** More changed runs than this are listed all together. */
const runsAskedSingly = 16;
/** Milliseconds changes of runs are gathered for: a run that executes writes several times a second. */
const runsPauseMs = 250;
/** Milliseconds between two questions to Prometheus, and the share of time that asking may take. */
const metricsPauseMs = { simulated: 3_000, real: 10_000 } as const;
const metricsShare = 0.02;
/** Most services whose pods are read for a reason, first and longest pause between two reads of one, in milliseconds. */
const explained = 50;
const problemPauseMs = { first: 1_000, longest: 30_000 } as const;

/**
 * Follows all services until the signal aborts; an outage makes its rows stale and is no rejection. Namespaces
 * come first, page by page; what is known about each follows. One watch a resource, nothing is polled but Prometheus
 * and the pods of services that are not ready.
 */
export async function followFleet(options: FleetOptions, signal: AbortSignal): Promise<void> {
  await new Follower(options, signal).run();
}

type Source = "applications" | "deployments" | "statefulSets" | "runs";

class Follower {
  readonly #options: FleetOptions;
  readonly #signal: AbortSignal;
  readonly #index = new FleetIndex();
  readonly #pending = new Set<Source>(["applications", "deployments", "statefulSets", "runs"]);
  readonly #explanations = new Map<
    string,
    { readonly of: object; readonly again: number; readonly pause: number }
  >();
  readonly #detailed = Promise.withResolvers<void>();
  #freshness: Freshness = { state: "loading", lastError: undefined };
  #listed = false;
  #told = false;
  #telling = false;
  #changed = false;

  constructor(options: FleetOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const listed = Promise.withResolvers<void>();
    const namespaces = this.#reflect({
      resource: resources.namespaces,
      labelSelector: managedSelector,
      mode: "metadata",
      page: metadataPage,
      keep: ({ metadata }) => namespaceFacts(metadata),
      onChanges: (changes) => {
        this.#index.takeNamespaces(changes);
        const last = changes.complete && !this.#listed;
        this.#listed = changes.complete;
        if (changes.complete) listed.resolve();
        this.#tell(last);
      },
      onFreshness: (freshness) => {
        this.#freshness = freshness;
        this.#changed = true;
        this.#tell();
      },
    });
    const release = (): void => {
      listed.resolve();
      this.#detailed.resolve();
    };
    this.#signal.addEventListener("abort", release, { once: true });
    await listed.promise;
    // Only now, so that the list of all services is not slowed down by what is known about each.
    await Promise.all([
      namespaces,
      this.#followDetails(),
      this.#followRuns(),
      this.#followMetrics(),
      this.#explain(),
    ]);
  }

  async #followDetails(): Promise<void> {
    const managed = { labelSelector: managedSelector, mode: "full" } as const;
    await Promise.all([
      this.#follow(
        "applications",
        { resource: resources.applications, mode: "full", keep: applicationFacts },
        (changes) => this.#index.takeApplications(changes),
      ),
      this.#follow(
        "deployments",
        { ...managed, resource: resources.deployments, keep: workloadFacts },
        (changes) => this.#index.takeDeployments(changes),
      ),
      this.#follow(
        "statefulSets",
        { ...managed, resource: resources.statefulSets, keep: workloadFacts },
        (changes) => this.#index.takeStatefulSets(changes),
      ),
    ]);
  }

  /** Runs carry their journals: their metadata is watched, and what a row needs is asked of the server's table. */
  async #followRuns(): Promise<void> {
    const changed = new Set<string>();
    let waiting = false;
    const catchUp = async (): Promise<void> => {
      const names = [...changed];
      changed.clear();
      try {
        this.#index.takeRuns(await this.#readRuns(names));
        this.#read("runs");
      } catch (error) {
        if (isClusterError(error, "forbidden", "not-found")) return this.#read("runs");
        for (const name of names) changed.add(name);
        throw error;
      }
    };
    const soon = (): void => {
      if (waiting || this.#signal.aborted) return;
      waiting = true;
      this.#options.clock
        .sleep(this.#pending.has("runs") ? 0 : runsPauseMs, this.#signal)
        .then(catchUp)
        .then(
          () => {
            waiting = false;
            if (changed.size > 0) soon();
          },
          // The reflector tells of the outage, and hears of its end.
          () => {
            waiting = false;
          },
        );
    };
    await this.#reflect({
      resource: resources.runs,
      namespace: systemNamespace,
      mode: "metadata",
      page: metadataPage,
      keep: ({ metadata }) => metadata.resourceVersion,
      onChanges: ({ changed: news, removed, complete }) => {
        for (const key of news.keys()) changed.add(nameIn(key));
        this.#index.takeRuns([], [...removed].map(nameIn));
        if (complete) soon();
        this.#tell();
      },
      onFreshness: ({ state, lastError }) => {
        if (state === "live" && changed.size > 0) soon();
        if (isClusterError(lastError, "forbidden", "not-found")) this.#read("runs");
      },
    });
  }

  async #readRuns(names: readonly string[]): Promise<readonly RunFacts[]> {
    const { cluster } = this.#options;
    if (names.length > runsAskedSingly) return listRuns(cluster, {}, this.#signal);
    const found = await Promise.all(
      names.map(async (name) =>
        runFacts(
          await cluster.listTable(resources.runs, {
            namespace: systemNamespace,
            fieldSelector: `metadata.name=${name}`,
            signal: this.#signal,
          }),
        ),
      ),
    );
    return found.flat();
  }

  /** Asks Prometheus again and again, the seldomer the longer its answers take. */
  async #followMetrics(): Promise<void> {
    await this.#detailed.promise;
    const { cluster, metrics, clock } = this.#options;
    await this.#repeat(async () => {
      const started = clock.now().getTime();
      this.#index.takeScraping(await askMetrics(metrics, this.#signal));
      this.#tell();
      const took = clock.now().getTime() - started;
      return Math.max(
        cluster.simulated ? metricsPauseMs.simulated : metricsPauseMs.real,
        took / metricsShare,
      );
    });
  }

  /** Reads the pods of services that are not ready, those first that a person sees first. */
  async #explain(): Promise<void> {
    const { cluster, clock } = this.#options;
    const limit = pLimit(4);
    await this.#repeat(async () => {
      const now = clock.now().getTime();
      const due: string[] = [];
      for (const service of this.#index.services) {
        if (service.verdict === "healthy" || due.length === explained) break;
        const key = serviceKey(service);
        const workload = this.#index.unready(key);
        const last = this.#explanations.get(key);
        if (workload === undefined) continue;
        if (last !== undefined && last.of === workload && last.again > now) continue;
        const pause =
          last?.of === workload ? Math.min(problemPauseMs.longest, last.pause * 2) : problemPauseMs.first;
        this.#explanations.set(key, { of: workload, again: now + pause, pause });
        due.push(key);
      }
      await Promise.all(
        due.map((key) =>
          limit(async () =>
            this.#index.takeProblem(key, await readProblem(cluster, serviceOfKey(key), this.#signal)),
          ),
        ),
      );
      if (due.length > 0) this.#tell();
      return problemPauseMs.first;
    });
  }

  /** Repeats until the signal aborts; `work` answers with the pause before the next time, in milliseconds. */
  async #repeat(work: () => Promise<number>): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await this.#options.clock.sleep(await work(), this.#signal);
      } catch (error) {
        if (this.#signal.aborted) return;
        if (!isClusterError(error)) throw error;
        await this.#options.clock.sleep(problemPauseMs.longest, this.#signal).catch(() => undefined);
      }
    }
  }

  #reflect<T>(options: Omit<ReflectorOptions<T>, "cluster">): Promise<void> {
    return new Reflector({ ...options, cluster: this.#options.cluster }).run(this.#signal);
  }

  /** What one may not read, or what has no CRD, is as good as read: it will not come. */
  #follow<T>(
    source: Source,
    options: Omit<ReflectorOptions<T>, "cluster" | "onChanges" | "onFreshness">,
    take: (changes: Changes<T>) => void,
  ): Promise<void> {
    return this.#reflect({
      ...options,
      onChanges: (changes) => {
        take(changes);
        if (changes.complete) this.#read(source);
        this.#tell();
      },
      onFreshness: ({ lastError }) => {
        if (isClusterError(lastError, "forbidden", "not-found")) this.#read(source);
      },
    });
  }

  #read(source: Source): void {
    if (this.#pending.delete(source) && this.#pending.size === 0) {
      this.#index.takeComplete();
      this.#changed = true;
      this.#detailed.resolve();
    }
    this.#tell();
  }

  /** Tells at once after a quiet time or where a person waits for it, and otherwise at the end of the interval. */
  #tell(awaited = false): void {
    if ((this.#telling && !awaited) || this.#signal.aborted) return;
    const { clock, intervalMs = 100, onChange } = this.#options;
    const news = this.#index.update() || this.#changed || !this.#told;
    if (!news) return;
    this.#changed = false;
    this.#told = true;
    this.#telling = true;
    onChange({
      services: this.#index.services,
      listed: this.#listed,
      complete: this.#pending.size === 0,
      freshness: this.#freshness,
    });
    clock.sleep(intervalMs, this.#signal).then(
      () => {
        this.#telling = false;
        this.#tell();
      },
      () => undefined,
    );
  }
}

/** Name in a reflector's key. */
function nameIn(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}
