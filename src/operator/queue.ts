import TinyQueue from "tinyqueue";
import { backoff } from "./backoff.ts";
import type { Priority } from "./controller.ts";

/** Time and chance for a queue. */
export interface QueueTime {
  /** Milliseconds by a clock that nobody sets. */
  steady(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** At least 0, below 1. */
  random(): number;
}

/** Is told what happens to keys, for metrics. Times in milliseconds. */
export interface QueueObserver {
  added(): void;
  /** A worker got a key that had waited so long. */
  taken(waited: number): void;
  /** A worker was done with a key that it had for so long. */
  finished(worked: number): void;
  retried(): void;
}

/** What became of a key that was worked on. */
export type Outcome =
  | { readonly kind: "done"; readonly againMs?: number | undefined }
  | { readonly kind: "failed"; readonly atLeastMs?: number | undefined };

/** Keys of high priority handed out in a row while one of low priority waits, before it has its turn. */
const highInARow = 8;
/**
 * A change makes the wait of a key that failed so short, in milliseconds, and no shorter: what fails each time and
 * changes something each time does not spin.
 */
const soonestAfterFailureMs = 1_000;

/** Longer timers overflow, in milliseconds. */
const longestSleepMs = 3_600_000;

interface Entry {
  failures: number;
  /** Waits for a worker, since when. */
  ready?: { readonly priority: Priority; readonly since: number };
  /** A worker has it, since when. */
  taken?: { readonly priority: Priority; readonly since: number };
  /** Asked for while a worker has it. */
  dirty?: Priority;
  /** Becomes ready then. */
  due?: {
    readonly at: number;
    readonly priority: Priority;
    /** It failed: whatever changes, it is not looked at before. */
    readonly notBefore?: number;
  };
}

/**
 * Keys that need work: each at most once, and with at most one worker at a time. A key asked for while a worker has it
 * comes again afterwards, because the worker may have looked before what it was asked for happened. What came first
 * goes first, `high` before `low`, but one in nine is `low` while any waits.
 */
export class Queue {
  readonly #time: QueueTime;
  readonly #observer: QueueObserver;
  readonly #entries = new Map<string, Entry>();
  readonly #ready: Readonly<Record<Priority, Set<string>>> = { high: new Set(), low: new Set() };
  /** Earliest first; an element counts only while its entry says the same. */
  #due = new TinyQueue<{ readonly at: number; readonly key: string }>([], (a, b) => a.at - b.at);
  readonly #waiting: ((key: string | undefined) => void)[] = [];
  #timer: { readonly at: number; readonly cancel: AbortController } | undefined;
  #highs = 0;
  #closed = false;

  constructor(time: QueueTime, observer: QueueObserver) {
    this.#time = time;
    this.#observer = observer;
  }

  /** Keys that wait for a worker. */
  get depth(): number {
    return this.#ready.high.size + this.#ready.low.size;
  }

  /** How long each key that a worker has was with it, in milliseconds. */
  inHand(): readonly number[] {
    const now = this.#time.steady();
    return [...this.#entries.values()].flatMap(({ taken }) =>
      taken === undefined ? [] : [now - taken.since],
    );
  }

  /** The key needs work from now on. */
  add(key: string, priority: Priority = "high"): void {
    if (this.#closed) return;
    const entry = this.#entry(key);
    if (entry.taken !== undefined) {
      entry.dirty = higher(entry.dirty, priority);
      return;
    }
    const now = this.#time.steady();
    const { due } = entry;
    if (due?.notBefore !== undefined && due.notBefore > now) {
      this.#later(key, entry, { ...due, at: due.notBefore, priority: higher(due.priority, priority) });
      return;
    }
    this.#makeReady(key, entry, priority);
  }

  /** A key for one worker, who says {@link finished} afterwards; undefined once the queue is closed. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const key = this.#next();
    return key === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(this.#handOut(key));
  }

  finished(key: string, outcome: Outcome): void {
    const entry = this.#entry(key);
    const now = this.#time.steady();
    const { dirty, taken } = entry;
    const priority = dirty ?? taken?.priority ?? "low";
    if (taken !== undefined) this.#observer.finished(now - taken.since);
    delete entry.taken;
    delete entry.dirty;
    if (outcome.kind === "failed") {
      entry.failures += 1;
      this.#observer.retried();
      const wait = backoff(entry.failures, this.#time.random());
      const least = outcome.atLeastMs ?? 0;
      const notBefore = now + Math.max(Math.min(wait, soonestAfterFailureMs), least);
      const at = dirty === undefined ? now + Math.max(wait, least) : notBefore;
      this.#later(key, entry, { at, priority, notBefore });
      return;
    }
    entry.failures = 0;
    if (dirty !== undefined) this.#makeReady(key, entry, priority);
    else if (outcome.againMs !== undefined) {
      this.#later(key, entry, { at: now + outcome.againMs, priority });
    } else this.#entries.delete(key);
  }

  /** Forgets keys that are not to be worked on here. A worker may still have some of them. */
  drop(which: (key: string) => boolean): void {
    for (const [key, entry] of this.#entries) {
      if (!which(key)) continue;
      this.#ready.high.delete(key);
      this.#ready.low.delete(key);
      delete entry.ready;
      delete entry.due;
      delete entry.dirty;
      if (entry.taken === undefined) this.#entries.delete(key);
    }
  }

  /** Hands out nothing more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel.abort();
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }

  #entry(key: string): Entry {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { failures: 0 };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #makeReady(key: string, entry: Entry, priority: Priority): void {
    delete entry.due;
    if (entry.ready === undefined) this.#observer.added();
    const wanted = higher(entry.ready?.priority, priority);
    if (entry.ready?.priority === wanted) return;
    entry.ready = { priority: wanted, since: entry.ready?.since ?? this.#time.steady() };
    this.#ready.low.delete(key);
    const worker = this.#waiting.shift();
    if (worker === undefined) this.#ready[wanted].add(key);
    else worker(this.#handOut(key, entry));
  }

  #next(): string | undefined {
    const [high] = this.#ready.high;
    const [low] = this.#ready.low;
    if (high === undefined || low === undefined) return high ?? low;
    return this.#highs < highInARow ? high : low;
  }

  #handOut(key: string, entry: Entry = this.#entry(key)): string {
    const now = this.#time.steady();
    const { priority, since } = entry.ready ?? { priority: "low", since: now };
    this.#observer.taken(now - since);
    this.#highs = priority === "high" ? this.#highs + 1 : 0;
    this.#ready[priority].delete(key);
    delete entry.ready;
    // The look that begins now says whether another is wanted later.
    delete entry.due;
    entry.taken = { priority, since: now };
    return key;
  }

  #later(key: string, entry: Entry, due: NonNullable<Entry["due"]>): void {
    entry.due = due;
    this.#due.push({ at: due.at, key });
    if (this.#due.length > 2 * this.#entries.size + 64) this.#tidy();
    this.#arm();
  }

  /** Throws out what changed its mind. */
  #tidy(): void {
    const due: { at: number; key: string }[] = [];
    for (const [key, entry] of this.#entries)
      if (entry.due !== undefined) due.push({ at: entry.due.at, key });
    this.#due = new TinyQueue(due, (a, b) => a.at - b.at);
  }

  /** One timer, for what is due first. */
  #arm(): void {
    const first = this.#due.peek();
    if (this.#closed || first === undefined) return;
    if (this.#timer !== undefined) {
      if (this.#timer.at <= first.at) return;
      this.#timer.cancel.abort();
    }
    const timer = { at: first.at, cancel: new AbortController() };
    this.#timer = timer;
    const wait = Math.min(longestSleepMs, Math.max(0, first.at - this.#time.steady()));
    this.#time.sleep(wait, timer.cancel.signal).then(
      () => {
        if (this.#timer !== timer) return;
        this.#timer = undefined;
        this.#wake();
        this.#arm();
      },
      () => {},
    );
  }

  #wake(): void {
    const now = this.#time.steady();
    for (let first = this.#due.peek(); first !== undefined && first.at <= now; first = this.#due.peek()) {
      this.#due.pop();
      const entry = this.#entries.get(first.key);
      // Changed its mind since: what counts is what the entry says.
      if (entry?.due === undefined || entry.due.at !== first.at) continue;
      this.#makeReady(first.key, entry, entry.due.priority);
    }
  }
}

function higher(one: Priority | undefined, other: Priority): Priority {
  return one === "high" ? one : other;
}
