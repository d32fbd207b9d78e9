/** At least 0, below 1; the same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` of the items in their order, one of each of so many equal stretches: no part goes without. */
export function sampleOf<T>(items: readonly T[], count: number, random: () => number): readonly T[] {
  if (count >= items.length) return items;
  const border = (stretch: number) => Math.floor((stretch * items.length) / count);
  return Array.from({ length: count }, (_, stretch) => {
    const [first, next] = [border(stretch), border(stretch + 1)];
    return first + Math.floor(random() * (next - first));
  }).flatMap((index) => items.slice(index, index + 1));
}

/** Of a test run: `PLATFORM_CRASH_SEED`, to repeat one, else any. */
export function seedOfRun(): number {
  return Number(process.env.PLATFORM_CRASH_SEED ?? Math.floor(Math.random() * 1_000_000));
}
