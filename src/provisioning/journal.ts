import { systemNamespace } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import type { Clock } from "./clock.ts";
import { bounded, JournalError } from "./errors.ts";
import { eventVersion, type RunEvent } from "./event.ts";
import type { RunState } from "./run.ts";
import { type RunRecord, readRun, runMessage } from "./run-record.ts";
import { keptLogLines, reduce } from "./run-reducer.ts";

/** Bytes of events a Run may hold (the server's limit for an object is about 1.5 MB); log lines give way. */
export const maxJournalBytes = 900_000;

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
}

/**
 * The run's events, durably in the status of its Run. Many appends become one write; each write carries the
 * resourceVersion of the last as precondition and this engine's epoch, so that an engine that was overtaken
 * cannot write. The first append takes the run: it has to be `RunStarted` or `RunTaken` with {@link epoch}.
 */
export class Journal {
  readonly epoch: number;
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #holder: string;
  readonly #token: string;
  readonly #listeners = new Set<JournalListener>();
  readonly #lost = new AbortController();
  #object: KubeObject;
  /** Epoch and number of events on the server while this engine has not written yet. */
  readonly #base: { readonly epoch: number; readonly events: number };
  #written: readonly RunEvent[];
  #pending: RunEvent[] = [];
  /** How many events were ever added here, and how many of them are on the server. */
  #added = 0;
  #stored = 0;
  #durable: RunState;
  #state: RunState;
  #flushing: Promise<void> | undefined;
  #lineTimer: Promise<void> | undefined;
  #noteTimer: Promise<void> | undefined;

  constructor({ cluster, clock, record, holder, token }: JournalOptions) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#holder = holder;
    this.#token = token;
    this.#object = record.object;
    this.epoch = record.epoch + 1;
    this.#base = { epoch: record.epoch, events: record.events.length };
    this.#written = record.events;
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
   * @throws JournalError
   */
  async append(...events: readonly RunEvent[]): Promise<void> {
    this.#lost.signal.throwIfAborted();
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

  #add(events: readonly RunEvent[]): void {
    this.#pending.push(...events);
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
    const events = trimmed([...this.#written, ...batch]);
    const state = batch.reduce(reduce, this.#durable);
    try {
      await this.#put(events, state);
    } catch (error) {
      const lost =
        error instanceof JournalError
          ? error
          : new JournalError(
              "unreachable",
              `the journal of run ${state.name} cannot be written: ${String(error)}`,
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

  async #put(events: readonly RunEvent[], state: RunState): Promise<void> {
    const giveUp = this.#clock.now().getTime() + patience;
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.#object = await this.#cluster.replace(
          resources.runs,
          { ...this.#object, status: this.#status(events, state) },
          { subresource: "status" },
        );
        return;
      } catch (error) {
        if (isClusterError(error, "not-found")) {
          throw new JournalError("gone", `run ${state.name} was deleted meanwhile`, error);
        }
        if (isClusterError(error, "conflict")) {
          await this.#reread(state);
          continue;
        }
        const retriable = isClusterError(error, "unreachable", "server", "throttled");
        if (!retriable || this.#clock.now().getTime() > giveUp) throw error;
        await this.#clock.sleep(Math.min(5_000, 100 * 2 ** attempt));
      }
    }
  }

  /** After a conflict: whether the run is still ours to write, and at which resourceVersion. */
  async #reread(state: RunState): Promise<void> {
    const object = await this.#cluster.get(resources.runs, { namespace: systemNamespace, name: state.name });
    const { epoch, token, events } = readRun(object);
    const ours = epoch === this.epoch && token === this.#token;
    // Nobody has taken it: only its spec or labels were changed.
    const untouched = epoch === this.#base.epoch && epoch < this.epoch && events.length === this.#base.events;
    if (!ours && !untouched) {
      const { holder } = readRun(object).state;
      throw new JournalError(
        "lost-epoch",
        `run ${state.name} was taken over by ${holder}; this engine stops`,
      );
    }
    this.#object = object;
  }

  #status(events: readonly RunEvent[], state: RunState): unknown {
    const started = events.find((event) => event.type === "RunStarted");
    return {
      phase: state.phase,
      message: bounded(runMessage(state), 500),
      epoch: this.epoch,
      holder: this.#holder,
      token: this.#token,
      ...(state.startedAt === undefined ? {} : { startedAt: state.startedAt }),
      ...(state.finishedAt === undefined ? {} : { finishedAt: state.finishedAt }),
      ...(started?.type === "RunStarted" ? { standardsHash: started.standardsHash } : {}),
      eventVersion,
      events,
    };
  }
}

/** Drops the oldest log lines where there are too many or the journal grows too large; nothing else is ever dropped. */
export function trimmed(events: readonly RunEvent[]): readonly RunEvent[] {
  const lines = events.filter((event) => event.type === "StepLogged");
  let surplus = lines.length - keptLogLines;
  let excess = surplus > 0 || lines.length > 0 ? JSON.stringify(events).length - maxJournalBytes : 0;
  if (surplus <= 0 && excess <= 0) return events;
  return events.filter((event) => {
    if (event.type !== "StepLogged" || (surplus <= 0 && excess <= 0)) return true;
    surplus -= 1;
    excess -= JSON.stringify(event).length + 1;
    return false;
  });
}
