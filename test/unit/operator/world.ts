import type { Cluster } from "../../../src/cluster/cluster.ts";
import { ClusterError } from "../../../src/cluster/errors.ts";
import { createLog } from "../../../src/operator/log.ts";
import { ShardHolder } from "../../../src/operator/shard-holder.ts";
import { shardOf } from "../../../src/operator/shards.ts";
import { fencing } from "../../../src/provisioning/runs/ownership.ts";
import { type MemoryCluster, memoryCluster } from "../provisioning/memory-cluster.ts";
import { TestTime } from "./test-time.ts";

/** A write that somebody made, and how long it was under way. */
export interface Write {
  readonly key: string;
  readonly by: string;
  readonly from: number;
  readonly to: number;
}

/** Everybody's Leases are in here, and everybody's writes are told. */
export interface World {
  readonly time: TestTime;
  readonly cluster: MemoryCluster;
  readonly keys: readonly string[];
  readonly writes: Write[];
  /** Numbers from 0 to 1, as chance has it. */
  readonly chance: () => number;
}

export function newWorld(chance: () => number): World {
  const keys = Array.from({ length: 6 }, (_, index) => `namespace-${index}`);
  return { time: new TestTime(), cluster: memoryCluster(), keys, writes: [], chance };
}

/** A process that works on each key that is its own, again and again, as operators do. */
export class Process {
  readonly name: string;
  readonly #world: World;
  readonly #shards: number;
  readonly #holder: ShardHolder;
  readonly #ours = new Set<number>();
  readonly #inHand = new Map<number, Set<Promise<void>>>();
  readonly #stop = new AbortController();
  #thawed: Promise<void> | undefined;
  #thaw: () => void = () => {};
  #dead = false;
  /** Nothing reaches the server until then. */
  #cutUntil = 0;
  readonly over: Promise<void>;

  constructor(world: World, name: string, shards: number) {
    this.name = name;
    this.#world = world;
    this.#shards = shards;
    const { time } = world;
    this.#holder = new ShardHolder({
      cluster: this.#reached(world.cluster),
      lease: "operator",
      shards,
      identity: name,
      time: { sleep: (ms, signal) => this.#sleep(ms, signal), random: world.chance },
      moments: () => ({ wall: time.now, steady: time.now }),
      log: createLog(() => {}, { level: "error", now: () => new Date(0) }),
      events: {
        gained: (shard) => {
          this.#ours.add(shard);
        },
        lost: (shard) => {
          this.#ours.delete(shard);
        },
        handOver: async (shard) => {
          this.#ours.delete(shard);
          await Promise.all(this.#inHand.get(shard) ?? []);
          return true;
        },
      },
    });
    this.over = this.#holder.run(this.#stop.signal);
    this.#work();
  }

  get holds(): readonly string[] {
    return this.#world.keys.filter((key) => this.#ours.has(shardOf(key, this.#shards)));
  }

  /** SIGSTOP: nothing it would do happens until it goes on; what it has sent is on its way. */
  freeze(): void {
    this.#thawed ??= new Promise((resolve) => {
      this.#thaw = resolve;
    });
  }

  /** SIGCONT. */
  goOn(): void {
    this.#thawed = undefined;
    this.#thaw();
  }

  /** SIGKILL. */
  kill(): void {
    this.#dead = true;
    this.freeze();
  }

  /** SIGTERM. */
  async stop(): Promise<void> {
    this.#holder.retire();
    this.#ours.clear();
    await Promise.all([...this.#inHand.values()].flatMap((writes) => [...writes]));
    this.#stop.abort();
    await this.over;
    await this.#holder.release();
    this.#dead = true;
  }

  cut(ms: number): void {
    this.#cutUntil = this.#world.time.now + ms;
  }

  async #awake(): Promise<void> {
    while (this.#thawed !== undefined || this.#dead)
      await (this.#dead ? new Promise(() => {}) : this.#thawed);
  }

  async #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await this.#world.time.sleep(ms, signal);
    await this.#awake();
  }

  #reached(cluster: Cluster): Cluster {
    const { time, chance } = this.#world;
    const way = async () => {
      await time.sleep(chance() * 200);
    };
    const asked = async <T>(call: () => Promise<T>): Promise<T> => {
      await this.#awake();
      const lost = () => time.now < this.#cutUntil;
      const unanswered = async (): Promise<never> => {
        await this.#sleep(5_000);
        throw new ClusterError("unreachable", "no answer within 5 s");
      };
      if (lost()) return unanswered();
      await way();
      const answer = await call().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      await way();
      // It was carried out, and nobody knows.
      if (lost()) return unanswered();
      await this.#awake();
      if ("error" in answer) throw answer.error;
      return answer.value;
    };
    return {
      ...cluster,
      get: (...args) => asked(() => cluster.get(...args)),
      create: (...args) => asked(() => cluster.create(...args)),
      replace: (...args) => asked(() => cluster.replace(...args)),
      delete: (...args) => asked(() => cluster.delete(...args)),
      list: (...args) => asked(() => cluster.listMetadata(...args)),
    };
  }

  /** Each key has a worker, which writes as often as it may, as slowly as it may. */
  #work(): void {
    const { keys, time, writes, chance } = this.#world;
    for (const key of keys) {
      const shard = shardOf(key, this.#shards);
      const write = async () => {
        await this.#holder.ensure();
        if (!this.#ours.has(shard)) return;
        const from = time.now;
        const to = from + chance() * fencing.writeTimeoutMs;
        writes.push({ key, by: this.name, from, to });
        await time.sleep(to - from);
      };
      const worker = async () => {
        while (!this.#stop.signal.aborted) {
          await this.#sleep(1_000 + chance() * 4_000);
          if (!this.#ours.has(shard)) continue;
          const writing = write().catch(() => {});
          const inHand = this.#inHand.get(shard) ?? new Set();
          this.#inHand.set(shard, inHand.add(writing));
          await writing;
          inHand.delete(writing);
        }
      };
      worker().catch(() => {});
    }
  }
}
