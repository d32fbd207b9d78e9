import { isDeepStrictEqual } from "node:util";
import { systemNamespace } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import type { Clock } from "../clock.ts";
import { bounded, JournalError, StepError } from "../errors.ts";
import type { RunEvent } from "./event.ts";
import { LogArchive, withoutLines } from "./log-archive.ts";
import { fencing, type Moments, momentsOf, Ownership } from "./ownership.ts";
import type { LogLine, RunState } from "./run.ts";
import { type LogChunks, type RunRecord, readRun } from "./run-record.ts";
import { keptLogLines, reduce } from "./run-reducer.ts";
import { runStatus } from "./run-status.ts";

/** Bytes of events a Run may hold (the server's limit for an object is about 1.5 MB); log lines give way. */
export const maxJournalBytes = 900_000;
/** Bytes of events beside log lines above which no new effect is taken on: the rest is for results and rollbacks. */
export const maxIntentBytes = 650_000;
/** From so many log lines on, all but the newest go to the archive. */
const archivedFrom = 2 * keptLogLines;
/** From so many on they go even where the archive cannot be written. */
const droppedFrom = 4 * keptLogLines;

/** How long the journal goes on trying to write where the cluster does not answer, in milliseconds. */
const patience = 60_000;
/** A log line waits this long for an event to travel with, in milliseconds. */
const lineDelay = 300;
/** What nobody waits for waits this long for what somebody does: a step's start travels with its first intent. */
const noteDelay = 25;
const longestLine = 400;

export type JournalListener = (event: RunEvent, state: RunState) => void;

export interface JournalOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** The Run as it was when this engine decided to take it. */
  readonly record: RunRecord;
  readonly holder: string;
  readonly token: string;
  /** Default: the clock's time and the process's own. */
  readonly moments?: Moments;
}

/**
 * The run's events, durably in the status of its Run. Many appends become one write; each write carries the
 * resourceVersion of the last as precondition and this engine's epoch, so that an engine that was overtaken
 * cannot write. The first append takes the run: it has to be `RunStarted` or `RunTaken` with {@link epoch}.
 */
export class Journal {
  readonly epoch: number;
  /** Whether the run is still this engine's. */
  readonly ownership: Ownership;
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #holder: string;
  readonly #token: string;
  readonly #listeners = new Set<JournalListener>();
  readonly #lost = new AbortController();
  readonly #archive: LogArchive;
  readonly #sizes = new WeakMap<RunEvent, number>();
  #object: KubeObject;
  /** Epoch and status on the server while this engine has not written yet. */
  readonly #base: { readonly epoch: number; readonly status: unknown };
  #written: readonly RunEvent[];
  #logChunks: LogChunks;
  /** Of all events but log lines. */
  #bytes: number;
  #pending: RunEvent[] = [];
  /** How many events were ever added here, and how many of them are on the server. */
  #added = 0;
  #stored = 0;
  #durable: RunState;
  #state: RunState;
  #flushing: Promise<void> | undefined;
  #lineTimer: Promise<void> | undefined;
  #noteTimer: Promise<void> | undefined;

  constructor(options: JournalOptions) {
    const { cluster, clock, record, holder, token } = options;
    const moments = options.moments ?? momentsOf(clock, () => performance.now());
    this.#cluster = cluster;
    this.#clock = clock;
    this.#holder = holder;
    this.#token = token;
    this.#object = record.object;
    this.epoch = record.epoch + 1;
    this.#base = { epoch: record.epoch, status: record.object.status };
    this.ownership = new Ownership(moments, () => this.#confirm());
    this.#archive = new LogArchive(cluster, record.object);
    this.#logChunks = record.logChunks;
    this.#written = record.events;
    this.#bytes = this.#bytesOf(record.events);
    this.#durable = record.state;
    this.#state = record.state;
  }

  /** The state that is on the server. */
  get durable(): RunState {
    return this.#durable;
  }

  /** The state with what is still being written. */
  get state(): RunState {
    return this.#state;
  }

  /** Aborted with a {@link JournalError} once nothing can be written any more. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Calls back with each event once it is on the server. Returns the unsubscriber. */
  subscribe(listener: JournalListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Records events; resolves when they, and all before them, are on the server.
   * @throws JournalError; StepError where the Run has no room for further effects: nothing is recorded then
   */
  async append(...events: readonly RunEvent[]): Promise<void> {
    this.#lost.signal.throwIfAborted();
    const intends = events.some(({ type }) => type === "EffectsIntended");
    if (intends && this.#bytes + this.#bytesOf(events) > maxIntentBytes) {
      throw new StepError(
        "refused",
        `the record of run ${this.#state.name} is full: it has no room for what else would be made`,
        "roll the run back, and make a new one",
      );
    }
    this.#add(events);
    await this.flush();
  }

  /** Records events that need not be on the server before the engine goes on; order is kept. */
  note(...events: readonly RunEvent[]): void {
    if (this.#lost.signal.aborted) return;
    this.#add(events);
    this.#noteTimer ??= this.#flushIn(noteDelay).finally(() => {
      this.#noteTimer = undefined;
    });
  }

  /** Records a line for the log pane; it travels with the next event, or soon. */
  line(event: RunEvent & { readonly type: "StepLogged" }): void {
    if (this.#lost.signal.aborted) return;
    this.#add([{ ...event, line: bounded(event.line, longestLine) }]);
    this.#lineTimer ??= this.#flushIn(lineDelay).finally(() => {
      this.#lineTimer = undefined;
    });
  }

  /** A failure is told to everybody by `lost`. */
  async #flushIn(ms: number): Promise<void> {
    await this.#clock
      .sleep(ms, this.#lost.signal)
      .then(() => this.flush())
      .catch(() => {});
  }

  /** Resolves when all events so far are on the server. */
  async flush(): Promise<void> {
    // Not until nothing is pending: steps at work would keep each other waiting.
    const upTo = this.#added;
    while (this.#stored < upTo) {
      this.#flushing ??= this.#write().finally(() => {
        this.#flushing = undefined;
      });
      await this.#flushing;
    }
  }

  /** A write to the Run that changes nothing but when it was made: refused where the run is not ours any more. */
  async #confirm(): Promise<void> {
    this.#lost.signal.throwIfAborted();
    await this.#flushing;
    this.#flushing ??= this.#write().finally(() => {
      this.#flushing = undefined;
    });
    await this.#flushing;
  }

  #bytesOf(events: readonly RunEvent[]): number {
    return events.reduce((sum, event) => sum + (event.type === "StepLogged" ? 0 : this.#sizeOf(event)), 0);
  }

  #sizeOf(event: RunEvent): number {
    const known = this.#sizes.get(event);
    if (known !== undefined) return known;
    const size = Buffer.byteLength(JSON.stringify(event)) + 1;
    this.#sizes.set(event, size);
    return size;
  }

  #add(events: readonly RunEvent[]): void {
    this.#pending.push(...events);
    this.#bytes += this.#bytesOf(events);
    this.#added += events.length;
    this.#state = events.reduce(reduce, this.#state);
  }

  /** One write of all that is pending. What is appended meanwhile goes with the next. */
  async #write(): Promise<void> {
    // Appends of the same turn travel together.
    await Promise.resolve();
    this.#lost.signal.throwIfAborted();
    const batch = this.#pending;
    this.#pending = [];
    const state = batch.reduce(reduce, this.#durable);
    let events: readonly RunEvent[];
    try {
      events = await this.#archived([...this.#written, ...batch]);
      await this.#put(events, state);
    } catch (error) {
      const lost =
        error instanceof JournalError
          ? error
          : new JournalError(
              isClusterError(error, "forbidden", "unauthenticated") ? "rights" : "unreachable",
              state.name,
              `the journal of run ${state.name} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
              error,
            );
      this.#lost.abort(lost);
      throw lost;
    }
    this.#written = events;
    this.#stored += batch.length;
    for (const event of batch) {
      this.#durable = reduce(this.#durable, event);
      for (const listener of this.#listeners) listener(event, this.#durable);
    }
  }

  /** The same events; where there are too many log lines, the oldest go to the archive. */
  async #archived(events: readonly RunEvent[]): Promise<readonly RunEvent[]> {
    const lines = events.filter((event) => event.type === "StepLogged");
    let dropped = 0;
    // Who is not sure whose the run is leaves it for later.
    if (lines.length >= archivedFrom && this.ownership.certain) {
      const old = lines.slice(0, -keptLogLines).map(({ at, step, line }): LogLine => ({ at, step, line }));
      const chunks = await this.#archive.store(old, this.#logChunks);
      if (chunks !== undefined) {
        this.#logChunks = chunks;
        dropped = old.length;
      }
    }
    if (dropped === 0 && lines.length >= droppedFrom) dropped = lines.length - keptLogLines;
    const total = events.reduce((sum, event) => sum + this.#sizeOf(event), 0);
    return withoutLines(events, dropped, total - maxJournalBytes, (event) => this.#sizeOf(event));
  }

  #status(events: readonly RunEvent[], state: RunState): unknown {
    const writtenAt = this.#clock.now().toISOString();
    const logChunks = this.#logChunks;
    const engine = { epoch: this.epoch, holder: this.#holder, token: this.#token };
    return runStatus(state, events, { ...engine, writtenAt, logChunks });
  }

  async #put(events: readonly RunEvent[], state: RunState): Promise<void> {
    const giveUp = this.#clock.now().getTime() + patience;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const sent = this.ownership.moment();
        this.#object = await this.#cluster.replace(
          resources.runs,
          { ...this.#object, status: this.#status(events, state) },
          { subresource: "status", timeoutMs: fencing.writeTimeoutMs },
        );
        this.ownership.written(sent);
        return;
      } catch (error) {
        if (isClusterError(error, "not-found")) {
          throw new JournalError("gone", state.name, `run ${state.name} was deleted meanwhile`, error);
        }
        if (isClusterError(error, "conflict")) {
          await this.#reread(state);
          // Somebody else's write in between is one conflict, or two.
          if (attempt < 5) continue;
          if (this.#clock.now().getTime() > giveUp) throw error;
          await this.#clock.sleep(Math.min(5_000, 50 * 2 ** attempt));
          continue;
        }
        const retriable = isClusterError(error, "unreachable", "server", "throttled");
        if (!retriable || this.#clock.now().getTime() > giveUp) throw error;
        await this.#clock.sleep(Math.max(error.retryAfterMs ?? 0, Math.min(5_000, 100 * 2 ** attempt)));
      }
    }
  }

  /** After a conflict: whether the run is still ours to write, and at which resourceVersion. */
  async #reread(state: RunState): Promise<void> {
    const object = await this.#cluster.get(resources.runs, { namespace: systemNamespace, name: state.name });
    const { epoch, token, state: found } = readRun(object);
    const ours = epoch === this.epoch && token === this.#token;
    // Nobody has taken it, and its holder has given no sign of life: only its spec or labels were changed.
    const untouched =
      epoch === this.#base.epoch && epoch < this.epoch && isDeepStrictEqual(object.status, this.#base.status);
    if (!ours && !untouched) {
      const what = epoch < this.epoch ? "is being executed" : "was taken over";
      throw new JournalError(
        "lost-epoch",
        state.name,
        `run ${state.name} ${what} by ${found.holder}; this engine stops`,
      );
    }
    this.#object = object;
  }
}
