/** Time as the simulated controllers see it; tests bring one that they move by hand. */
export interface ControllerClock {
  now(): Date;
  /** Calls `work` after `ms` real milliseconds, at the earliest in the next turn. Returns what cancels it. */
  after(ms: number, work: () => void): () => void;
}

/** Real time. Its timers keep no process alive. */
export const systemClock: ControllerClock = {
  now: () => new Date(),
  after(ms, work) {
    if (ms <= 0) {
      const immediate = setImmediate(work);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(work, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** As Kubernetes writes times: RFC 3339, whole seconds. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
