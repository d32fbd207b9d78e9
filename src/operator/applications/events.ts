import { hash } from "node:crypto";
import pLimit from "p-limit";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";
import { errorFields, type Log } from "../log.ts";

/** What an Event is about; of a Namespace, `namespace` is its own name. */
export interface Subject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventRecorderOptions {
  readonly cluster: Cluster;
  readonly timing: Timing;
  readonly log: Log;
  /** This process. */
  readonly identity: string;
}

/** The same thing is said once in so many milliseconds. */
const quietMs = 10 * 60_000;
/** Different things about one object in that time. */
const mostThings = 10;
/** Longest text of an Event, in characters: the API server takes no more. */
const longestMessage = 1_024;
/** Written at the same time: what the Events are about goes before them. */
const atOnce = 2;
/** Events that wait to be written; more are left out. */
const mostWaiting = 1_000;

/** Writes Events: what people see of a thing with `kubectl describe`. Never a flood, and never a reason to fail. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  /** What was said about an object, and when; what was said last is last. */
  readonly #said = new Map<string, Map<string, number>>();
  readonly #limit = pLimit(atOnce);
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Resolves when everything recorded so far is written, or was given up. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Resolves when it is written or given up: nobody need wait for that. Never rejects. */
  async record(
    about: Subject,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
    signal: AbortSignal,
  ): Promise<void> {
    const text = message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message;
    if (this.#underWay.size >= mostWaiting || !this.#isNews(about.uid, `${reason} ${text}`)) return;
    const writing = this.#limit(() => this.#write(about, type, reason, text, signal)).catch(
      (error: unknown) => {
        this.#options.log.debug("an Event could not be written", { reason, ...errorFields(error) });
      },
    );
    this.#underWay.add(writing);
    await writing;
    this.#underWay.delete(writing);
  }

  #isNews(uid: string, thing: string): boolean {
    const now = this.#options.timing.now().getTime();
    const isOver = (at: number) => now - at > quietMs;
    // Objects come and go: those of which nothing was said for long are forgotten.
    for (const [other, said] of this.#said) {
      if (![...said.values()].every(isOver)) break;
      this.#said.delete(other);
    }
    const said = this.#said.get(uid) ?? new Map<string, number>();
    for (const [old, at] of said) if (isOver(at)) said.delete(old);
    if (said.has(thing) || said.size >= mostThings) return false;
    said.set(thing, now);
    this.#said.delete(uid);
    this.#said.set(uid, said);
    return true;
  }

  async #write(
    about: Subject,
    type: string,
    reason: string,
    message: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { cluster, timing, identity } = this.#options;
    const { namespace } = about;
    const name = `${about.name}.${hash("sha1", `${about.uid} ${reason} ${message}`).slice(0, 16)}`;
    const at = timing
      .now()
      .toISOString()
      .replace(/\.\d+Z$/, "Z");
    try {
      await cluster.create(
        resources.events,
        {
          apiVersion: "v1",
          kind: "Event",
          metadata: { name, namespace },
          involvedObject: about,
          type,
          reason,
          message,
          count: 1,
          firstTimestamp: at,
          lastTimestamp: at,
          source: { component: "platform-operator" },
          reportingComponent: "platform-operator",
          reportingInstance: identity.slice(0, 128),
        },
        { signal },
      );
    } catch (error) {
      if (!isClusterError(error, "already-exists")) throw error;
      // Said before, by whoever operated then.
      const { count } = await cluster.get(resources.events, { namespace, name }, { signal });
      const body = { count: typeof count === "number" ? count + 1 : 2, lastTimestamp: at };
      await cluster.patch(resources.events, { namespace, name }, { type: "merge", body }, { signal });
    }
  }
}
