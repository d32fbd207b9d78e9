/** Time that passes only when a test lets it: everybody who sleeps is woken in order. */
export class VirtualTime {
  /** Milliseconds since the beginning. */
  now = 0;
  #sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => {
      this.#sleepers.push({ until: this.now + Math.max(0, ms), wake });
    });
  }

  /** Lets time pass, one moment after the other, each until nothing more follows from it. */
  async runUntil(end: number): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#sleepers.reduce(
        (least, { until }) => Math.min(least, until),
        Number.POSITIVE_INFINITY,
      );
      if (next > end) return;
      this.now = next;
      const due = this.#sleepers.filter(({ until }) => until === next);
      this.#sleepers = this.#sleepers.filter(({ until }) => until !== next);
      for (const { wake } of due) wake();
    }
  }
}
