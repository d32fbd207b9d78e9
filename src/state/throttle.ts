/** Runs `work` at once, and then at most once every `intervalMs`, always once after the last call. */
export interface Throttle {
  (): void;
  /** Forgets a call that waits. */
  cancel(): void;
  /** Runs a call that waits now. */
  flush(): void;
}

/** What a throttle needs of timers; Node's own by default. */
export interface Timers {
  readonly now: () => number;
  readonly after: (ms: number, work: () => void) => () => void;
}

export const nodeTimers: Timers = {
  now: () => performance.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};

/** Limits how often something happens; feeds use it so that a screen changes at most twenty times a second. */
export function throttle(intervalMs: number, work: () => void, timers: Timers = nodeTimers): Throttle {
  let last = Number.NEGATIVE_INFINITY;
  let stop: (() => void) | undefined;
  const run = () => {
    stop = undefined;
    last = timers.now();
    work();
  };
  const call = () => {
    if (stop !== undefined) return;
    const wait = last + intervalMs - timers.now();
    if (wait <= 0) run();
    else stop = timers.after(wait, run);
  };
  return Object.assign(call, {
    cancel: () => {
      stop?.();
      stop = undefined;
    },
    flush: () => {
      if (stop === undefined) return;
      stop();
      run();
    },
  });
}
