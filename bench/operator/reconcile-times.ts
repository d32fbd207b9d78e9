/** How many reconciles of Applications took at most so many seconds: controller-runtime's histogram, which both operators have. */
export type ReconcileTimes = ReadonlyMap<number, number>;

const bucket =
  /^controller_runtime_reconcile_time_seconds_bucket\{(?=[^}]*controller="applications?")[^}]*le="([^"]+)"[^}]*\} (\d+)$/;

/** @param metrics - what `/metrics` says */
export function reconcileTimes(metrics: string): ReconcileTimes {
  const found = metrics.split("\n").flatMap((line): [number, number][] => {
    const [, limit, count] = bucket.exec(line) ?? [];
    return limit === undefined
      ? []
      : [[limit === "+Inf" ? Number.POSITIVE_INFINITY : Number(limit), Number(count)]];
  });
  return new Map(found.sort(([one], [other]) => one - other));
}

/**
 * Milliseconds that this share of the reconciles between two readings did not exceed, by linear interpolation within a
 * bucket, as Prometheus' `histogram_quantile` does it; NaN without reconciles.
 */
export function reconcileQuantile(before: ReconcileTimes, after: ReconcileTimes, share: number): number {
  const counts = [...after].map(([limit, count]) => ({ limit, count: count - (before.get(limit) ?? 0) }));
  const wanted = share * (counts.at(-1)?.count ?? 0);
  let below = { limit: 0, count: 0 };
  for (const each of counts) {
    if (each.count > 0 && each.count >= wanted) {
      const top = Number.isFinite(each.limit) ? each.limit : below.limit;
      const part = (wanted - below.count) / (each.count - below.count);
      return 1_000 * (below.limit + (top - below.limit) * part);
    }
    below = each;
  }
  return Number.NaN;
}
