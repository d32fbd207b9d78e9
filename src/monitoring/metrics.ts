/** Whether monitoring works for a service, and the evidence. */
export type Proof =
  /** A Prometheus target of the service is up. */
  | { readonly status: "proven"; readonly targets: number }
  /** Configured, but no evidence yet (or no Prometheus to ask); says why. */
  | { readonly status: "unproven"; readonly reason: string }
  /** Evidence against: the target is down, or nothing selects the ServiceMonitor. */
  | { readonly status: "broken"; readonly reason: string }
  | { readonly status: "off" };

/** One scrape target as Prometheus reports it. */
export interface Target {
  readonly namespace: string;
  readonly service: string;
  readonly health: "up" | "down" | "unknown";
  readonly lastError: string;
  readonly scrapeUrl: string;
}

/** An alert that fires. */
export interface Alert {
  readonly namespace: string;
  /** Label `service`, which the platform's rules set to the service's name; empty where an alert has none. */
  readonly service: string;
  readonly alert: string;
}

/** A metrics backend. The adapter for Prometheus is `prometheus.ts`. */
export interface Metrics {
  /** Active targets, all or of one namespace. Throws ClusterError where it does not answer. */
  targets(options?: {
    readonly namespace?: string;
    readonly signal?: AbortSignal;
  }): Promise<readonly Target[]>;
  /** Alerts that fire now in a namespace. */
  firing(options?: { readonly signal?: AbortSignal }): Promise<readonly Alert[]>;
}
