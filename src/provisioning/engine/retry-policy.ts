import { isClusterError } from "../../cluster/errors.ts";
import type { RunError } from "../runs/event.ts";

/** Attempts of one step, or of one compensation, by one engine before a person is asked. */
export const maxAttempts = 8;
/** How long after its first failure a step is still tried again, in milliseconds. */
export const maxRetryingMs = 180_000;

/** The pause before an attempt is at most this long before the second, and twice as long before each further one. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
const shortestPauseMs = 100;

/** What one engine has tried of one step in one direction. */
export interface Tries {
  readonly count: number;
  /** When it failed first, in milliseconds since the epoch. */
  readonly since: number;
}

/** A failure that may be over when one asks again. */
function worthRetrying({ class: errorClass }: RunError): boolean {
  return errorClass === "transient" || errorClass === "unreachable";
}

/**
 * When to try again, in milliseconds since the epoch; undefined where a person has to be asked. Exponential backoff
 * with full jitter, so that those who failed together do not come back together; never before the server said.
 * @param error - what was thrown, for its `Retry-After`
 * @param random - at least 0, below 1
 */
export function nextTry(
  tries: Tries,
  runError: RunError,
  error: unknown,
  now: number,
  random: number,
): number | undefined {
  if (!worthRetrying(runError) || tries.count >= maxAttempts) return undefined;
  const ceiling = Math.min(longestPauseMs, firstPauseMs * 2 ** (tries.count - 1));
  const asked = isClusterError(error) ? (error.retryAfterMs ?? 0) : 0;
  const at = now + asked + Math.max(shortestPauseMs, Math.floor(random * ceiling));
  return at - tries.since > maxRetryingMs ? undefined : at;
}
