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

interface Stage {
  name: string;
  /** Milliseconds. */
  at: number;
  count: number;
}

/**
 * Measures how long an object has been in a stage, in simulated milliseconds. Held in memory: a process that
 * takes the lead begins the stages it finds anew, as a restarted kubelet would. Subjects are paths: `uid/part`.
 */
export class Stages {
  readonly #simulation: Simulation;
  /** By the first part of the path, so that forgetting one object does not look at all others. */
  readonly #groups = new Map<string, Map<string, Stage>>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** Simulated milliseconds left until `subject` has been in `stage` for `ms`; 0 when it has. */
  left(subject: string, stage: string, ms: number): number {
    const now = this.#simulation.clock.now().getTime();
    const known = this.#stage(subject);
    if (known.name !== stage) {
      known.name = stage;
      known.at = now;
    }
    return Math.max(0, ms - (now - known.at) * this.#simulation.speed);
  }

  /** Whether the subject was not in the stage before this call. */
  enters(subject: string, stage: string): boolean {
    const before = this.isIn(subject, stage);
    this.left(subject, stage, 0);
    return !before;
  }

  isIn(subject: string, stage: string): boolean {
    return this.#groups.get(rootOf(subject))?.get(subject)?.name === stage;
  }

  /** How often {@link increment} was called for the subject. */
  count(subject: string): number {
    return this.#groups.get(rootOf(subject))?.get(subject)?.count ?? 0;
  }

  increment(subject: string): void {
    this.#stage(subject).count += 1;
  }

  /** Forgets the subject and all under it (`subject/…`). */
  forget(subject: string): void {
    const root = rootOf(subject);
    const group = this.#groups.get(root);
    for (const known of group?.keys() ?? []) {
      if (known === subject || known.startsWith(`${subject}/`)) group?.delete(known);
    }
    if (group?.size === 0) this.#groups.delete(root);
  }

  #stage(subject: string): Stage {
    const root = rootOf(subject);
    const group = this.#groups.get(root) ?? new Map<string, Stage>();
    const stage = group.get(subject) ?? { name: "", at: 0, count: 0 };
    this.#groups.set(root, group.set(subject, stage));
    return stage;
  }
}

function rootOf(subject: string): string {
  const slash = subject.indexOf("/");
  return slash === -1 ? subject : subject.slice(0, slash);
}
