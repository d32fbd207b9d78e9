import type { Api } from "../api.ts";
import { type ControllerClock, timestamp } from "./clock.ts";
import type { EventRecorder } from "./events.ts";

/** What every simulated controller works with. */
export interface Simulation {
  readonly api: Api;
  readonly clock: ControllerClock;
  /** Divides delays that a controller measures itself; those it returns are divided by the loop. */
  readonly speed: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly events: EventRecorder;
}

/** Now, as Kubernetes writes times. */
export function nowText({ clock }: Simulation): string {
  return timestamp(clock.now());
}

/**
 * Measures how long an object has been in a stage, in simulated milliseconds. Held in memory: a process that
 * takes the lead begins the stages it finds anew, as a restarted kubelet would.
 */
export class Stages {
  readonly #simulation: Simulation;
  readonly #entered = new Map<string, { readonly stage: string; readonly at: number }>();
  readonly #counts = new Map<string, number>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** Simulated milliseconds left until `subject` has been in `stage` for `ms`; 0 when it has. */
  left(subject: string, stage: string, ms: number): number {
    const now = this.#simulation.clock.now().getTime();
    const known = this.#entered.get(subject);
    const at = known?.stage === stage ? known.at : now;
    if (known?.stage !== stage) this.#entered.set(subject, { stage, at: now });
    return Math.max(0, ms - (now - at) * this.#simulation.speed);
  }

  /** Whether the subject was not in the stage before this call. */
  enters(subject: string, stage: string): boolean {
    const before = this.isIn(subject, stage);
    this.left(subject, stage, 0);
    return !before;
  }

  isIn(subject: string, stage: string): boolean {
    return this.#entered.get(subject)?.stage === stage;
  }

  /** How often {@link increment} was called for the subject. */
  count(subject: string): number {
    return this.#counts.get(subject) ?? 0;
  }

  increment(subject: string): void {
    this.#counts.set(subject, this.count(subject) + 1);
  }

  /** Forgets the subject and all under it (`subject/…`). */
  forget(subject: string): void {
    for (const map of [this.#entered, this.#counts]) {
      for (const known of map.keys()) {
        if (known === subject || known.startsWith(`${subject}/`)) map.delete(known);
      }
    }
  }
}
