import fc from "fast-check";
import { expect, test } from "vitest";
import { ClusterError } from "../../../src/cluster/errors.ts";
import { maxAttempts, maxRetryingMs, nextTry } from "../../../src/provisioning/engine/retry-policy.ts";
import { toRunError } from "../../../src/provisioning/errors.ts";

const busy = (retryAfterMs?: number) =>
  new ClusterError("throttled", "too many requests", { status: 429, retryAfterMs });
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("whatever the luck, attempts and time are bounded, and each pause is as jittered backoff allows", () => {
  fc.assert(
    fc.property(fc.array(chance, { minLength: 20, maxLength: 20 }), fc.nat(40_000), (luck, asked) => {
      const error = busy(asked);
      let now = 1_000_000;
      let attempts = 0;
      for (const random of luck) {
        attempts += 1;
        const at = nextTry({ count: attempts, since: 1_000_000 }, toRunError(error), error, now, random);
        if (at === undefined) break;
        expect(at - now).toBeGreaterThanOrEqual(asked + 100);
        expect(at - now).toBeLessThanOrEqual(asked + Math.min(30_000, 1_000 * 2 ** (attempts - 1)));
        now = at;
      }
      expect(attempts).toBeLessThanOrEqual(maxAttempts);
      expect(now - 1_000_000).toBeLessThanOrEqual(maxRetryingMs);
    }),
  );
});

test("what a person has to mend is not tried again", () => {
  const refused = new ClusterError("forbidden", "exceeded quota: quota", { status: 403 });
  expect(nextTry({ count: 1, since: 0 }, toRunError(refused), refused, 0, 0.5)).toBeUndefined();
});
