import type { ControllerClock } from "../../../src/sandbox/controllers/clock.ts";

/** Time that a test moves by hand. */
export interface VirtualClock extends ControllerClock {
  /** Runs everything that is due within `ms` simulated milliseconds, in order. */
  advance(ms: number): void;
  /** Time goes by and nothing is run, as while a process is stopped. */
  stall(ms: number): void;
  /** Milliseconds until something is due; undefined when nothing is. */
  untilNext(): number | undefined;
}

export function virtualClock(start = "2026-03-01T12:00:00Z"): VirtualClock {
  let now = Date.parse(start);
  let order = 0;
  const timers = new Map<number, { readonly due: number; readonly work: () => void }>();
  return {
    now: () => new Date(now),
    after(ms, work) {
      const id = ++order;
      timers.set(id, { due: now + Math.max(0, Math.ceil(ms)), work });
      return () => timers.delete(id);
    },
    stall(ms) {
      now += ms;
    },
    untilNext() {
      const due = Math.min(...[...timers.values()].map((timer) => timer.due));
      return Number.isFinite(due) ? Math.max(0, due - now) : undefined;
    },
    advance(ms) {
      const end = now + ms;
      for (let steps = 0; ; steps++) {
        if (steps > 200_000) throw new Error("the controllers never come to rest");
        let next: readonly [number, { readonly due: number; readonly work: () => void }] | undefined;
        for (const entry of timers) if (next === undefined || entry[1].due < next[1].due) next = entry;
        if (next === undefined || next[1].due > end) break;
        timers.delete(next[0]);
        now = Math.max(now, next[1].due);
        next[1].work();
      }
      now = end;
    },
  };
}
