import type { Cluster } from "../../cluster/cluster.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";
import type { EventRecorder } from "./events.ts";
import { type HeldApplication, subjectOf } from "./held-application.ts";
import { conditionIn, type Findings, sameStatus, statusOf, statusPatch } from "./status.ts";

export interface StatusWriterOptions {
  readonly cluster: Cluster;
  readonly timing: Timing;
  readonly events: EventRecorder;
  /** Takes what the server answered, so that it is no news. */
  readonly learn: (application: KubeObject) => void;
  /** What is only on its way is told after so long, in milliseconds: mostly it has arrived by then. */
  readonly momentMs: number;
}

/** … and so much later for each Application that is on its way too: writes of theirs are worth more. */
const laterForEachMs = 250;
const longestMomentMs = 120_000;

/**
 * Writes statuses: each as seldom as it can be. What is settled is told at once; what is on its way only when it stays
 * so, so that a new Application mostly has one write of its status, the one that says that it is ready.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  /** Since when something is to be told that is not worth a write yet. */
  readonly #untold = new Map<string, number>();
  /** UIDs of those that had to be told to be degraded, and not yet to be ready again. */
  readonly #troubled = new Set<string>();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  forget(key: string): void {
    this.#untold.delete(key);
  }

  /** Tells what was found. Resolves to when to come again, where it is not told yet. @throws ClusterError */
  async tell(
    key: string,
    held: HeldApplication,
    findings: Findings,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const now = this.#options.timing.now();
    const { generation, status: before } = held;
    const after = statusOf(findings, before, { generation, now });
    if (sameStatus(before, after)) {
      this.#untold.delete(key);
      return undefined;
    }
    const degraded = conditionIn(after, "Degraded");
    const wasDegraded = conditionIn(before, "Degraded");
    const isReady = conditionIn(after, "Ready")?.status === "True";
    const isNewTrouble =
      degraded?.status === "True" &&
      (wasDegraded?.status !== "True" || wasDegraded.reason !== degraded.reason);
    const mendsTrouble = degraded?.status === "False" && wasDegraded?.status === "True";
    if (!isReady && !isNewTrouble && !mendsTrouble) {
      const since = this.#untold.get(key) ?? now.getTime();
      this.#untold.set(key, since);
      const moment = Math.min(
        longestMomentMs,
        this.#options.momentMs + laterForEachMs * (this.#untold.size - 1),
      );
      const left = since + moment - now.getTime();
      if (left > 0) return left;
    }
    this.#untold.delete(key);
    await this.#write(held, statusPatch(before, after), signal);
    const about = subjectOf(held);
    const { events } = this.#options;
    if (isNewTrouble) void events.record(about, "Warning", degraded.reason, degraded.message, signal);
    if (degraded?.status === "True") this.#troubled.add(held.uid);
    if (isReady && (this.#troubled.delete(held.uid) || mendsTrouble)) {
      void events.record(about, "Normal", "Recovered", "everything is as wanted again", signal);
    }
    return undefined;
  }

  async #write(
    { namespace, name, uid }: HeldApplication,
    status: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<void> {
    const { cluster, learn } = this.#options;
    const written = await cluster.patch(
      resources.applications,
      { namespace, name },
      // Another Application of this name is not the one this is about.
      { type: "merge", body: { metadata: { uid }, status } },
      { subresource: "status", signal },
    );
    learn(written);
  }
}
