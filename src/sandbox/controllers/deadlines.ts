import type { Simulation } from "./simulation.ts";

/** Simulated milliseconds that count between two looks at the most. */
const longestLook = 10_000;

interface Waiting {
  stage: string;
  /** Real milliseconds. */
  lookedAt: number;
  /** Simulated milliseconds. */
  waited: number;
}

/**
 * Measures deadlines in the time in which the controllers got to work: a process that was stopped, or a machine with
 * too much to do, keeps pods from getting ready, and a deadline in time as it passes outside would be missed for that.
 * Held in memory, as {@link Stages} are.
 */
export class Deadlines {
  readonly #simulation: Simulation;
  readonly #waiting = new Map<string, Waiting>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /**
   * Looks at a deadline of `ms` simulated milliseconds from when the subject came to `stage`. `again`: simulated
   * milliseconds until it is to be looked at again, as long as it is not over.
   */
  look(subject: string, stage: string, ms: number): { readonly over: boolean; readonly again: number } {
    const now = this.#simulation.clock.now().getTime();
    const known = this.#waiting.get(subject);
    const passed = known?.stage === stage ? (now - known.lookedAt) * this.#simulation.speed : undefined;
    const waited = passed === undefined ? 0 : (known?.waited ?? 0) + Math.min(passed, longestLook);
    this.#waiting.set(subject, { stage, lookedAt: now, waited });
    return { over: waited >= ms, again: Math.min(longestLook, Math.max(0, ms - waited)) };
  }

  forget(subject: string): void {
    this.#waiting.delete(subject);
  }
}
