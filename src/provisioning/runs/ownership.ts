import { ClusterError } from "../../cluster/errors.ts";
import type { Clock } from "../clock.ts";

/**
 * Times of fencing, in milliseconds; `docs/decisions/0012-living-and-dead-engines.md` has the reasons. A write begins
 * at most `marginMs` after ownership was certain and takes at most `writeTimeoutMs`: it is over before anybody else
 * may think its engine dead.
 */
export const fencing = {
  /** A holder that gave no sign of life for so long, by the observer's own clock, counts as dead. */
  leaseMs: 15_000,
  /** How often a holder renews: several renewals may be lost. */
  renewEveryMs: 2_500,
  /** How old a confirmation may be for a write to begin. */
  marginMs: 6_000,
  /** How long a write may take, waits for a busy server included. */
  writeTimeoutMs: 8_000,
} as const;

/** A moment by two clocks: one is set by people, the other stands still while a machine sleeps. */
export interface Moment {
  readonly wall: number;
  readonly steady: number;
}

/** Tells the moment. */
export type Moments = () => Moment;

/** @param steady - milliseconds of a clock that nobody sets, for example `performance.now` */
export function momentsOf(clock: Clock, steady: () => number): Moments {
  return () => ({ wall: clock.now().getTime(), steady: steady() });
}

/** How long ago, in milliseconds, by the clock that says longer: too long costs a question, too short the fence. */
export function age(then: Moment, now: Moment): number {
  return Math.max(now.wall - then.wall, now.steady - then.steady);
}

/** Tries at confirmation, where each is too slow to be of use, before the write counts as failed. */
const mostConfirmations = 3;

/**
 * Whether this engine still owns its run, as far as the server has acknowledged. Before a write of a step begins,
 * ownership has to be certain: an engine that was stopped, or whose machine slept, asks first.
 */
export class Ownership {
  readonly #moments: Moments;
  readonly #confirm: () => Promise<void>;
  #certain: Moment | undefined;
  #confirming: Promise<void> | undefined;

  /** @param confirm - writes to the Run at the version last seen; rejects where the run is lost */
  constructor(moments: Moments, confirm: () => Promise<void>) {
    this.#moments = moments;
    this.#confirm = confirm;
  }

  /** Now, for {@link written} and {@link renewed}: taken before the request is sent. */
  moment(): Moment {
    return this.#moments();
  }

  /** The server took a write to the Run that was sent then: nobody else had it. */
  written(sent: Moment): void {
    this.#certain = sent;
  }

  /**
   * The server took a renewal of the Lease that was sent then. It says something only while nobody can have found this
   * engine dead: later ones may come just after somebody did.
   */
  renewed(sent: Moment): void {
    if (this.#certain === undefined || age(this.#certain, this.#moments()) >= fencing.leaseMs) return;
    this.#certain = sent;
  }

  /**
   * Resolves when a write may begin.
   * @throws JournalError where the run is lost; ClusterError where the cluster is too slow to be certain
   */
  async ensure(): Promise<void> {
    for (let tries = 0; !this.certain; tries += 1) {
      if (tries === mostConfirmations) {
        throw new ClusterError("unreachable", "the cluster answers too slowly to say whose the run is");
      }
      this.#confirming ??= this.#confirm().finally(() => {
        this.#confirming = undefined;
      });
      await this.#confirming;
    }
  }

  /**
   * Resolves when one who meant to wait for a moment only may go on: at once, unless it waited so long that somebody
   * may have found this engine dead.
   * @throws as {@link ensure}
   */
  async awake(since: Moment): Promise<void> {
    if (age(since, this.#moments()) >= fencing.marginMs) await this.ensure();
  }

  /** Whether a write may begin without asking. */
  get certain(): boolean {
    return this.#certain !== undefined && age(this.#certain, this.#moments()) < fencing.marginMs;
  }
}
