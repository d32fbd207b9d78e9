/** The first wait after a failure, in milliseconds: mostly a conflict, over as soon as the cache has caught up. */
const firstMs = 5;
/**
 * The longest wait, in milliseconds. client-go waits up to 16 minutes, longer than a person who has just mended a
 * right or a policy, which no watch tells of; 3,000 keys that all fail are 10 tries a second at this one.
 */
const longestMs = 300_000;

/**
 * How long to wait after so many failures in a row, in milliseconds: twice as long each time, of which between a half
 * and all, so that what failed together does not come back together.
 * @param failures - at least 1
 * @param random - at least 0, below 1
 */
export function backoff(failures: number, random: number): number {
  const ceiling = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return ceiling * (0.5 + random / 2);
}
