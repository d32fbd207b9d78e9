import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";

/** What the platform's alerts and dashboard are made of: keep the names. */
export interface Metrics {
  readonly registry: Registry;
  observe(method: string, status: number, seconds: number): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const labelNames = ["method", "code"] as const;
  const requests = new Counter({
    name: "http_requests_total",
    help: "Requests answered.",
    labelNames,
    registers: [registry],
  });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Seconds from a request to its answer.",
    labelNames,
    registers: [registry],
  });
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    observe(method, status, seconds) {
      const labels = { method: method.toLowerCase(), code: String(status) };
      requests.inc(labels);
      duration.observe(labels, seconds);
    },
  };
}
