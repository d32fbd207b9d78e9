import { expect, test } from "vitest";
import { reconcileQuantile, reconcileTimes } from "../../../bench/operator/reconcile-times.ts";

const metrics = (upTo100: number, upTo200: number, all: number) =>
  [
    "# TYPE controller_runtime_reconcile_time_seconds histogram",
    `controller_runtime_reconcile_time_seconds_bucket{controller="applications",le="0.1"} ${upTo100}`,
    `controller_runtime_reconcile_time_seconds_bucket{le="0.2",controller="applications"} ${upTo200}`,
    `controller_runtime_reconcile_time_seconds_bucket{controller="applications",le="+Inf"} ${all}`,
    'controller_runtime_reconcile_time_seconds_bucket{controller="runs",le="0.1"} 5000',
    `controller_runtime_reconcile_time_seconds_count{controller="applications"} ${all}`,
  ].join("\n");

test("quantiles of the reconciles of Applications between two readings, as Prometheus tells them", () => {
  const before = reconcileTimes(metrics(1000, 1000, 1000));
  const after = reconcileTimes(metrics(1080, 1100, 1100));
  expect(reconcileQuantile(before, after, 0.4)).toBeCloseTo(50);
  expect(reconcileQuantile(before, after, 0.9)).toBeCloseTo(150);
  expect(reconcileQuantile(before, before, 0.9)).toBeNaN();
});

test("what took longer than the last limit is told as that limit", () => {
  const none = reconcileTimes("");
  expect(reconcileQuantile(none, reconcileTimes(metrics(0, 0, 10)), 0.99)).toBeCloseTo(200);
});
