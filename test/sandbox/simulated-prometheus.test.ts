import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { handleProxy } from "../../src/sandbox/simulated-prometheus.ts";
import { deployment, namespace, type World, world } from "./controllers/world.ts";

let w: World;
beforeEach(() => {
  w = world();
});
afterEach(() => w.stop());

const answer = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({
        health: z.string(),
        lastError: z.string(),
        scrapeUrl: z.string(),
        labels: z.record(z.string(), z.string()),
      }),
    ),
  }),
});

function ask(path: string, query = "") {
  const view = { api: w.api, now: w.clock.now(), speed: 1 };
  return handleProxy(view, {
    namespace: "monitoring",
    service: "prometheus-operated",
    port: "9090",
    path,
    query: new URLSearchParams(query),
  });
}
const targets = () => answer.parse(ask("/api/v1/targets").body).data.activeTargets;

function monitored(
  options: {
    readonly image?: string;
    readonly monitorLabels?: Record<string, string>;
    readonly portName?: string;
  } = {},
) {
  const { image = "web:1", monitorLabels = { release: "prometheus" }, portName = "metrics" } = options;
  w.create(
    "apps/deployments",
    deployment({
      image,
      replicas: 2,
      container: { ports: [{ name: "metrics", containerPort: 9090 }] },
    }),
  );
  w.create("/services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web-metrics", labels: { monitor: "web" } },
    spec: { selector: { app: "web" }, ports: [{ name: portName, port: 9090, targetPort: "metrics" }] },
  });
  w.create("monitoring.coreos.com/servicemonitors", {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "ServiceMonitor",
    metadata: { name: "web", labels: monitorLabels },
    spec: {
      selector: { matchLabels: { monitor: "web" } },
      endpoints: [{ port: "metrics", interval: "30s" }],
    },
  });
}

test("pods become targets, unknown first and up a few seconds later", async () => {
  monitored();
  await w.until(() => targets().length === 2);
  expect(targets()[0]?.health).toBe("unknown");
  await w.until(() => targets().every(({ health }) => health === "up"));
  expect(targets()[0]?.labels).toMatchObject({ namespace, service: "web-metrics", endpoint: "metrics" });
  expect(targets()[0]?.scrapeUrl).toMatch(/^http:\/\/10\.244\.\d+\.\d+:9090\/metrics$/);
});

test.each([
  ["its labels are not those that Prometheus selects", { monitorLabels: { release: "other" } }],
  ["the Service has no port of that name", { portName: "http" }],
])("a ServiceMonitor has no targets when %s", async (_why, options) => {
  monitored(options);
  await w.until(() => w.pods().length === 2 && w.pods().every(({ status }) => status.phase === "Running"));
  await w.advance(60_000);
  expect(targets()).toEqual([]);
});

test("a pod that crashes or has no metrics is down, with the error a scrape would have", async () => {
  monitored({ image: "web:no-metrics" });
  const down = () => targets().find(({ health }) => health === "down");
  await w.until(() => down() !== undefined);
  expect(down()?.lastError).toBe("server returned HTTP status 404 Not Found");
  const stored = w.see("apps/deployments", "web");
  const crashing = deployment({
    image: "web:crash",
    replicas: 2,
    container: { ports: [{ name: "metrics", containerPort: 9090 }] },
  });
  w.api.update("apps/deployments", { ...stored, spec: crashing.spec });
  await w.until(() => targets().some(({ lastError }) => lastError.endsWith("connect: connection refused")));
});

test("queries for up and ALERTS are answered, others refused as bad data", async () => {
  monitored({ image: "web:errors" });
  w.create("monitoring.coreos.com/prometheusrules", {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: "web", labels: { release: "prometheus" } },
    spec: {
      groups: [
        { rules: [{ alert: "high-error-rate", labels: { severity: "page" } }, { alert: "high-latency" }] },
      ],
    },
  });
  await w.until(() => targets().length === 2 && targets().every(({ health }) => health === "up"));
  const up = ask("/api/v1/query", `query=up{namespace="${namespace}",pod=~"web-.*"}`);
  expect(up).toMatchObject({
    status: 200,
    body: { data: { result: [{ value: [expect.any(Number), "1"] }, {}] } },
  });
  expect(ask("/api/v1/query", 'query=ALERTS{alertstate="firing"}').body).toMatchObject({
    data: { result: [{ metric: { alertname: "high-error-rate", namespace, severity: "page" } }] },
  });
  expect(ask("/api/v1/alerts").body).toMatchObject({ data: { alerts: [{ state: "firing" }] } });
  expect(ask("/api/v1/query", "query=rate(http_requests_total[5m])").status).toBe(400);
});

test("other Services have nobody behind them", async () => {
  monitored();
  const view = { api: w.api, now: w.clock.now(), speed: 1 };
  const query = new URLSearchParams();
  const proxied = { namespace, service: "web-metrics", port: "", path: "/", query };
  expect(handleProxy(view, proxied)).toMatchObject({ status: 503 });
  expect(handleProxy(view, { ...proxied, service: "nobody" })).toMatchObject({ status: 404 });
});
