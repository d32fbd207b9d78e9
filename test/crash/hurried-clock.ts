import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../src/provisioning/clock.ts";

/** A clock that runs `speed` times as fast as life: who waits for a Lease to run out waits for that long of it. */
export function hurriedClock(speed: number): Clock {
  const start = Date.now();
  return {
    now: () => new Date(start + (Date.now() - start) * speed),
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      try {
        await delay(ms / speed, undefined, signal === undefined ? {} : { signal });
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      }
    },
  };
}
