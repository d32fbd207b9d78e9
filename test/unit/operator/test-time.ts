/** Time that passes only when a test lets it. Those who sleep are woken in order, and may be told not to. */
export class TestTime {
  /** Milliseconds since the beginning. */
  now = 0;
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { until: this.now + Math.max(0, ms), wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });

  /** Lets `ms` milliseconds pass, one moment after the other, each until nothing more follows from it. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    await settled();
    while (await this.#step(end));
    this.now = end;
  }

  /** Lets time pass until something holds. @throws Error where it never does */
  async until(holds: () => boolean): Promise<void> {
    await settled();
    while (!holds()) {
      if (!(await this.#step(Number.POSITIVE_INFINITY))) throw new Error("nobody waits for anything");
    }
  }

  /** To the next moment at which somebody wakes, unless that is after `end`. */
  async #step(end: number): Promise<boolean> {
    const next = Math.min(...[...this.#sleepers].map(({ until }) => until));
    if (!(next <= end) || next === Number.POSITIVE_INFINITY) return false;
    this.now = next;
    for (const sleeper of this.#sleepers) {
      if (sleeper.until !== next) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await settled();
    return true;
  }
}

/** All that follows from what has happened, short of time passing, has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
