import { isClusterError } from "../cluster/errors.ts";
import type { Controller } from "./controller.ts";
import { errorFields, type Log } from "./log.ts";
import { Queue, type QueueObserver, type QueueTime } from "./queue.ts";
import { shardOf } from "./shards.ts";

/** How a reconcile ended, in controller-runtime's words. */
export type ReconcileResult = "success" | "requeue_after" | "error";

/** Is told what a controller does, for metrics. */
export interface ControllerObserver extends QueueObserver {
  began(): void;
  /** After so many milliseconds; undefined: it was given up, because the key is no longer ours. */
  ended(result: ReconcileResult | undefined, tookMs: number): void;
}

export interface RunnerOptions {
  readonly controller: Controller;
  /** How many shards there are. */
  readonly shards: number;
  /** Those that are this process's now. Live: changed by whoever says `gained` and `lost`. */
  readonly ours: ReadonlySet<number>;
  readonly time: QueueTime;
  readonly log: Log;
  readonly observe: (queue: Pick<Queue, "depth" | "inHand">) => ControllerObserver;
}

/** Waits between two tries to start a controller, in milliseconds. */
const startAgainMs = 5_000;

/** One controller at work: its queue, its workers, and which of its keys are this process's. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #queue: Queue;
  readonly #observer: ControllerObserver;
  readonly #log: Log;
  readonly #inHand = new Map<string, AbortController>();
  /** Every key heard of, and its shard: told to the queue when that shard becomes ours. */
  readonly #known = new Map<string, number>();
  #idle: (() => void)[] = [];
  #synced = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#log = options.log.with({ controller: options.controller.name });
    let observer: ControllerObserver | undefined;
    this.#queue = new Queue(options.time, {
      added: () => observer?.added(),
      taken: (waited) => observer?.taken(waited),
      finished: (worked) => observer?.finished(worked),
      retried: () => observer?.retried(),
    });
    observer = options.observe(this.#queue);
    this.#observer = observer;
  }

  get name(): string {
    return this.#options.controller.name;
  }

  /** Its caches are complete. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Works until the signal aborts or it is stopped. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { controller, time } = this.#options;
    const began = time.steady();
    while (!signal.aborted && !this.#synced) {
      try {
        await controller.start((key, priority) => this.#enqueue(key, priority), signal);
        this.#synced = true;
      } catch (error) {
        if (signal.aborted) return;
        this.#log.error("the controller could not start; again soon", errorFields(error));
        await time.sleep(startAgainMs, signal).catch(() => undefined);
      }
    }
    if (signal.aborted) return;
    const tookMs = Math.round(time.steady() - began);
    this.#log.info("caches are complete", { tookMs, waiting: this.#queue.depth });
    signal.addEventListener("abort", () => this.#queue.close(), { once: true });
    await Promise.all(Array.from({ length: controller.workers }, () => this.#work()));
  }

  /** A shard is ours: its keys need a look. */
  gained(shard: number): void {
    for (const [key, its] of this.#known) if (its === shard) this.#queue.add(key, "low");
  }

  /** A shard is not ours any more: what is in hand of it ends at once. */
  lost(shard: number, why: string): void {
    this.#queue.drop((key) => this.#shardOf(key) === shard);
    for (const [key, abort] of this.#inHand) {
      if (this.#shardOf(key) === shard) abort.abort(new Error(why));
    }
  }

  /** Begins nothing more of a shard that is not ours any more; resolves when nothing of it is in hand or left to be written. */
  async drained(shard: number): Promise<void> {
    this.#queue.drop((key) => this.#shardOf(key) === shard);
    this.#release((key) => this.#shardOf(key) === shard);
    while ([...this.#inHand.keys()].some((key) => this.#shardOf(key) === shard)) await this.#onceOneEnds();
    await this.#options.controller.settled?.();
  }

  /** Begins nothing more; resolves when nothing is in hand or left to be written. */
  async stop(): Promise<void> {
    this.#queue.close();
    this.#release(() => true);
    while (this.#inHand.size > 0) await this.#onceOneEnds();
    await this.#options.controller.settled?.();
  }

  /** What is in hand ends at once. */
  abort(why: string): void {
    for (const abort of this.#inHand.values()) abort.abort(new Error(why));
  }

  #release(which: (key: string) => boolean): void {
    const { controller } = this.#options;
    for (const key of [...this.#inHand.keys()].filter(which)) controller.release?.(key);
  }

  #onceOneEnds(): Promise<void> {
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #shardOf(key: string): number {
    const { shards, controller } = this.#options;
    if (shards === 1) return 0;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const [namespace = key] = key.split("/", 1);
    return shardOf(controller.shardBy?.(key) ?? namespace, shards);
  }

  #enqueue(key: string, priority: "high" | "low" = "high"): void {
    const shard = this.#shardOf(key);
    if (this.#options.shards > 1) this.#known.set(key, shard);
    if (this.#options.ours.has(shard)) this.#queue.add(key, priority);
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      // Lost while it was handed over.
      if (this.#options.ours.has(this.#shardOf(key))) await this.#reconcile(key);
      else this.#queue.finished(key, { kind: "done" });
    }
  }

  async #reconcile(key: string): Promise<void> {
    const { controller, time } = this.#options;
    const abort = new AbortController();
    const began = time.steady();
    const took = () => time.steady() - began;
    this.#inHand.set(key, abort);
    this.#observer.began();
    try {
      const result = await controller.reconcile(key, abort.signal);
      this.#queue.finished(key, { kind: "done", againMs: result?.againMs });
      this.#observer.ended(result?.againMs === undefined ? "success" : "requeue_after", took());
      this.#log.debug("reconciled", { key, tookMs: Math.round(took()) });
    } catch (error) {
      if (abort.signal.aborted) {
        this.#queue.finished(key, { kind: "done" });
        this.#observer.ended(undefined, took());
        this.#log.debug("given up", { key, ...errorFields(abort.signal.reason) });
      } else {
        const atLeastMs = isClusterError(error) ? error.retryAfterMs : undefined;
        this.#queue.finished(key, { kind: "failed", atLeastMs });
        this.#observer.ended("error", took());
        this.#log.warn("reconcile failed; again later", { key, ...errorFields(error) });
      }
    } finally {
      this.#inHand.delete(key);
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }
}
