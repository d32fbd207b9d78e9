import { firingAlerts } from "./prometheus/alerts.ts";
import { parseQuery, type Sample } from "./prometheus/query.ts";
import { type PrometheusView, scrapeTargets } from "./prometheus/targets.ts";

/** A request that came through the API server's service proxy. */
export interface ProxiedRequest {
  readonly namespace: string;
  readonly service: string;
  /** The port's number or name, as in the URL; empty when left out. */
  readonly port: string;
  /** Behind `/proxy`, with its leading slash. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** The answer: JSON for objects, plain text for strings. */
export interface ProxiedAnswer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Answers the service proxy. The only thing that answers behind it is the simulated Prometheus at
 * `monitoring/prometheus-operated:9090`; every other Service is refused as one without endpoints.
 */
export function handleProxy(view: PrometheusView, request: ProxiedRequest): ProxiedAnswer {
  const { namespace, service, port, path } = request;
  const stored = view.api.get("/services", namespace, service);
  if (stored === undefined) {
    return failure(404, "NotFound", `services "${service}" not found`);
  }
  const isPrometheus = namespace === "monitoring" && service === "prometheus-operated";
  if (!isPrometheus) {
    return failure(503, "ServiceUnavailable", `no endpoints available for service "${service}"`);
  }
  if (!["", "9090", "web", "http-web", "http"].includes(port)) {
    return failure(503, "ServiceUnavailable", `no service port "${port}" found for service "${service}"`);
  }
  switch (path.replace(/\/+$/, "")) {
    case "/-/ready":
      return { status: 200, body: "Prometheus Server is Ready.\n" };
    case "/-/healthy":
      return { status: 200, body: "Prometheus Server is Healthy.\n" };
    case "/api/v1/targets":
      return success({ activeTargets: activeTargets(view), droppedTargets: [], droppedTargetCounts: {} });
    case "/api/v1/alerts":
      return success({
        alerts: firingAlerts(view).map((alert) => ({ ...alert, state: "firing", value: "1e+00" })),
      });
    case "/api/v1/query":
      return instantQuery(view, request.query.get("query") ?? "");
    case "/api/v1/status/buildinfo":
      return success({ version: "3.5.0", revision: "simulated by the sandbox" });
    default:
      return { status: 404, body: "404 page not found\n" };
  }
}

function activeTargets(view: PrometheusView) {
  return scrapeTargets(view).map((target) => {
    const intervalMs = target.intervalSeconds * 1000;
    const lastScrape = new Date(Math.floor(view.now.getTime() / intervalMs) * intervalMs);
    return {
      discoveredLabels: target.discoveredLabels,
      labels: target.labels,
      scrapePool: target.scrapePool,
      scrapeUrl: target.scrapeUrl,
      globalUrl: target.scrapeUrl,
      lastError: target.lastError,
      lastScrape: target.health === "unknown" ? "0001-01-01T00:00:00Z" : lastScrape.toISOString(),
      lastScrapeDuration: target.health === "up" ? 0.004 : 0,
      health: target.health,
      scrapeInterval: `${target.intervalSeconds}s`,
      scrapeTimeout: "10s",
    };
  });
}

function instantQuery(view: PrometheusView, text: string): ProxiedAnswer {
  const query = parseQuery(text);
  const samples = query === undefined ? undefined : samplesOf(view, query.metric);
  if (query === undefined || samples === undefined) {
    return {
      status: 400,
      body: {
        status: "error",
        errorType: "bad_data",
        error: `the simulated Prometheus understands only up{…} and ALERTS{…}, not: ${text}`,
      },
    };
  }
  const at = view.now.getTime() / 1000;
  return success({
    resultType: "vector",
    result: samples
      .filter(({ labels }) => query.matches(labels))
      .map(({ labels, value }) => ({ metric: labels, value: [at, String(value)] })),
  });
}

function samplesOf(view: PrometheusView, metric: string): readonly Sample[] | undefined {
  if (metric === "up") {
    return scrapeTargets(view)
      .filter(({ health }) => health !== "unknown")
      .map(({ labels, health }) => ({
        labels: { __name__: "up", ...labels },
        value: health === "up" ? 1 : 0,
      }));
  }
  if (metric === "ALERTS") {
    return firingAlerts(view).map(({ labels }) => ({
      labels: { __name__: "ALERTS", alertstate: "firing", ...labels },
      value: 1,
    }));
  }
  return undefined;
}

function success(data: unknown): ProxiedAnswer {
  return { status: 200, body: { status: "success", data } };
}

function failure(code: number, reason: string, message: string): ProxiedAnswer {
  return {
    status: code,
    body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code },
  };
}
