import type { Cluster } from "../../cluster/cluster.ts";
import type { Metrics } from "../../monitoring/metrics.ts";
import type { Clock } from "../../provisioning/clock.ts";
import type { Provisioner } from "../../provisioning/provisioner.ts";
import type { Standards } from "../../standards/standards.ts";
import type { Stores } from "../stores.ts";

/** The use cases that the app works with: the program's composition, or a part of it in tests. */
export interface UseCases {
  readonly cluster: Cluster;
  readonly standards: Standards;
  readonly provisioner: Provisioner;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** Fills stores until its signal aborts. It ends quietly then, and tells its own errors in the store it fills. */
export type Feed = (stores: Stores, useCases: UseCases, signal: AbortSignal) => Promise<void>;

/** Milliseconds between two changes of a store: twenty a second are more than an eye follows. */
export const storeIntervalMs = 50;

/** Repeats `work` every `intervalMs` until the signal aborts. */
export async function repeat(
  clock: Clock,
  intervalMs: number,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await work();
    try {
      await clock.sleep(intervalMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }
}
