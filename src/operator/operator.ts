import { operatorName } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { ClusterError } from "../cluster/errors.ts";
import { type Fence, fencedCluster } from "../cluster/fenced-cluster.ts";
import type { Timing } from "../cluster/timing.ts";
import { fencing, momentsOf } from "../provisioning/runs/ownership.ts";
import type { MakeControllers } from "./controllers.ts";
import { errorFields, type Log } from "./log.ts";
import type { OperatorMetrics } from "./metrics.ts";
import { Runner } from "./runner.ts";
import { ShardHolder } from "./shard-holder.ts";

export interface OperatorOptions {
  readonly cluster: Cluster;
  /** The same cluster over a connection of its own, so that renewals of Leases never wait behind work. */
  readonly leases: Cluster;
  readonly controllers: MakeControllers;
  /** Name of its Lease; those of shards and members begin with it. Default `platform-operator`. */
  readonly lease?: string;
  /** How many processes may share the work. */
  readonly shards: number;
  /** This process as no other is named: a DNS label of at most 40 characters. */
  readonly identity: string;
  readonly timing: Timing;
  /** Milliseconds of a clock that nobody sets. */
  readonly steady: () => number;
  readonly log: Log;
  readonly metrics: OperatorMetrics;
  /** How long what is in hand may take when the operator is stopped, in milliseconds. Default 15 s. */
  readonly stopMs?: number;
}

/** What an operator says of itself to those who watch over it. */
export interface Health {
  /** It is not stuck: worth keeping. */
  readonly live: boolean;
  /** Its caches are complete, or it stands by. */
  readonly ready: boolean;
  /** A line a fact, for a person. */
  readonly facts: readonly string[];
}

export interface Operator {
  /** Works until the signal aborts; then finishes what is in hand, and gives its Leases back. */
  run(signal: AbortSignal): Promise<void>;
  health(): Health;
}

/** With the time that writes under way are given afterwards, less than the 30 s after which a pod is killed. */
const defaultStopMs = 15_000;
/** Leases that nobody has looked after for so long mean a stuck program. */
const stuckMs = 60_000;

/** From when this process holds its first shard until it holds none: controllers with caches of their own. */
class Term {
  readonly ours = new Set<number>();
  readonly #options: OperatorOptions;
  readonly #over = new AbortController();
  #runners: readonly Runner[] = [];
  #made = false;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  get synced(): boolean {
    return this.#made && this.#runners.every((runner) => runner.synced);
  }

  get facts(): readonly string[] {
    return this.#runners.map(({ name, synced }) => `[${synced ? "+" : "-"}] caches of ${name}`);
  }

  async run(holder: Fence): Promise<void> {
    const { timing, steady, log, metrics, identity, shards, controllers } = this.#options;
    const time = { ...timing, steady };
    const { ours } = this;
    const over = this.#over.signal;
    const fence: Fence = {
      async ensure() {
        // The next term holds the same Leases: what is left of this one is still not to write.
        over.throwIfAborted();
        await holder.ensure();
        over.throwIfAborted();
      },
    };
    const cluster = fencedCluster(this.#options.cluster, fence, fencing.writeTimeoutMs);
    const made = await controllers({ cluster, log, timing, identity });
    this.#runners = made.map(
      (controller) =>
        new Runner({
          controller,
          shards,
          ours,
          time,
          log,
          observe: (queue) => metrics.controller(controller, queue),
        }),
    );
    this.#made = true;
    await Promise.all(this.#runners.map((runner) => runner.run(over)));
  }

  gained(shard: number): void {
    this.ours.add(shard);
    for (const runner of this.#runners) runner.gained(shard);
  }

  lost(shard: number, why: string): void {
    this.ours.delete(shard);
    for (const runner of this.#runners) runner.lost(shard, why);
  }

  async drained(shard: number): Promise<void> {
    this.ours.delete(shard);
    await Promise.all(this.#runners.map((runner) => runner.drained(shard)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#runners.map((runner) => runner.stop()));
  }

  /** Ends at once: caches too. */
  end(why: string): void {
    this.#over.abort(new ClusterError("conflict", why));
    for (const runner of this.#runners) runner.abort(why);
  }
}

/** The in-cluster face: runs controllers over the shards that are this process's. */
export function createOperator(options: OperatorOptions): Operator {
  const {
    log,
    timing,
    steady,
    metrics,
    shards,
    identity,
    lease = operatorName,
    stopMs = defaultStopMs,
  } = options;
  let term: Term | undefined;
  let stopping = false;
  /** Something that cannot be mended by trying again. */
  const broken = new AbortController();
  const breaks = (error: unknown) => {
    log.error("the operator cannot go on", errorFields(error));
    broken.abort(error);
  };
  const endTerm = (why: string) => {
    term?.end(why);
    term = undefined;
  };
  const lost = (shard: number, why: string) => {
    log.warn("a shard is lost", { shard, why });
    metrics.leading(shard, false);
    term?.lost(shard, why);
    if (term?.ours.size === 0) endTerm(why);
  };
  const holder: ShardHolder = new ShardHolder({
    cluster: options.leases,
    lease,
    shards,
    identity,
    time: timing,
    moments: momentsOf(timing, steady),
    log,
    events: {
      gained(shard) {
        if (stopping) return;
        log.info("a shard is ours", { shard, of: shards });
        metrics.leading(shard, true);
        if (term === undefined) {
          const begun = new Term(options);
          term = begun;
          begun.gained(shard);
          begun.run(holder).catch(breaks);
        } else term.gained(shard);
      },
      lost,
      async handOver(shard) {
        log.info("a shard is handed over", { shard });
        const calm = await within(stopMs, term?.drained(shard));
        lost(shard, "it was handed over");
        return calm;
      },
    },
  });

  /** Resolves when that has, or after so many milliseconds. */
  async function within(ms: number, that: Promise<void> | undefined): Promise<boolean> {
    const over = new AbortController();
    const late = timing.sleep(ms, over.signal).then(
      () => false,
      () => true,
    );
    const done = (that ?? Promise.resolve()).then(() => true);
    const inTime = await Promise.race([done, late]);
    over.abort();
    return inTime;
  }

  /** Whether nothing is in hand any more, nor a write under way. */
  async function endedWell(stopped: Term | undefined): Promise<boolean> {
    const working = stopped?.stop();
    if (await within(stopMs, working)) return true;
    log.warn("what is in hand takes too long, and is given up", { stopMs });
    stopped?.end("the operator stops");
    // What was cut off may still be carried out by the server: Leases are kept for as long as that can take.
    const [calm] = await Promise.all([
      within(fencing.writeTimeoutMs, working),
      timing.sleep(fencing.writeTimeoutMs),
    ]);
    return calm;
  }

  return {
    async run(signal) {
      const ended = new AbortController();
      const stop = AbortSignal.any([signal, broken.signal]);
      log.info("the operator begins", { identity, shards });
      const holding = holder.run(ended.signal).catch(breaks);
      await new Promise<void>((resolve) => {
        if (stop.aborted) resolve();
        stop.addEventListener("abort", () => resolve(), { once: true });
      });
      stopping = true;
      log.info("the operator stops");
      holder.retire();
      const calm = await endedWell(term);
      endTerm("the operator stops");
      ended.abort();
      await holding;
      if (calm) await holder.release();
      log.info("the operator has stopped");
      if (broken.signal.aborted) throw broken.signal.reason;
    },
    health() {
      const live = holder.silentMs < stuckMs;
      const standby = term === undefined;
      return {
        live,
        ready: !stopping && (standby ? holder.looked : term?.synced === true),
        facts: [
          `[${live ? "+" : "-"}] Leases, looked after ${Math.round(holder.silentMs / 1_000)} s ago`,
          standby
            ? `[${holder.looked ? "+" : "-"}] stands by`
            : `[+] holds ${term?.ours.size} of ${shards} shards`,
          ...(term?.facts ?? []),
          ...(stopping ? ["[-] stops"] : []),
        ],
      };
    },
  };
}
