import { hash } from "node:crypto";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
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

/** Writes Events: what people see of a thing with `kubectl describe`. Never a flood, and never a reason to fail. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  /** What was said about an object, and when. */
  readonly #said = new Map<string, Map<string, number>>();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  forget(uid: string): void {
    this.#said.delete(uid);
  }

  async record(
    about: Subject,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
    signal: AbortSignal,
  ): Promise<void> {
    const text = message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message;
    if (!this.#isNews(about.uid, `${reason} ${text}`)) return;
    try {
      await this.#write(about, type, reason, text, signal);
    } catch (error) {
      this.#options.log.debug("an Event could not be written", { reason, ...errorFields(error) });
    }
  }

  #isNews(uid: string, thing: string): boolean {
    const now = this.#options.timing.now().getTime();
    const said = this.#said.get(uid) ?? new Map<string, number>();
    for (const [old, at] of said) if (now - at > quietMs) said.delete(old);
    if (said.has(thing) || said.size >= mostThings) return false;
    said.set(thing, now);
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
    const existing = await find(cluster, resources.events, { namespace, name }, { signal });
    if (existing !== undefined) {
      const count = typeof existing.count === "number" ? existing.count + 1 : 2;
      const body = { count, lastTimestamp: at };
      await cluster.patch(resources.events, { namespace, name }, { type: "merge", body }, { signal });
      return;
    }
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
    }
  }
}
