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

/** Share of the time that asking again and again may take: what answers slowly is asked seldom. */
const shareOfTime = 0.05;

/** Longest pause between two questions, in milliseconds. */
const longestPauseMs = 30_000;

/** Asks every `intervalMs`, more seldom where the answer takes long, until the signal aborts. */
export async function poll(
  clock: Clock,
  intervalMs: number,
  signal: AbortSignal,
  ask: () => Promise<void>,
): Promise<void> {
  await repeat(clock, signal, async () => {
    const began = clock.now().getTime();
    await ask();
    const took = clock.now().getTime() - began;
    return Math.max(intervalMs, Math.min(longestPauseMs, took / shareOfTime));
  });
}

/** Repeats `work` until the signal aborts; it answers with the pause before the next time, in milliseconds. */
export async function repeat(clock: Clock, signal: AbortSignal, work: () => Promise<number>): Promise<void> {
  while (!signal.aborted) {
    const pause = await work();
    try {
      await clock.sleep(pause, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }
}
