import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { matchMonitor, whySelectedByNone } from "../../../src/monitoring/explain.ts";
import { unmet } from "../../../src/monitoring/label-selector.ts";
import type { Target } from "../../../src/monitoring/metrics.ts";
import { judgeTargets } from "../../../src/monitoring/prove.ts";

const target = (over: Partial<Target>): Target => ({
  namespace: "app-ledger",
  service: "ledger",
  health: "up",
  lastError: "",
  scrapeUrl: "http://10.0.0.7:9090/metrics",
  ...over,
});

const object = (
  kind: string,
  name: string,
  spec: unknown,
  labels: Record<string, string> = {},
): KubeObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name, namespace: "app-ledger", labels },
  spec,
});

const monitor = object(
  "ServiceMonitor",
  "ledger",
  { selector: { matchLabels: { app: "ledger" } }, endpoints: [{ port: "metrics", interval: "30s" }] },
  { release: "prometheus" },
);
const service = object("Service", "ledger", { ports: [{ name: "metrics", port: 9090 }] }, { app: "ledger" });
const home = object("Namespace", "app-ledger", {}, { "platform.company.com/managed": "true" });
const server = (spec: unknown): KubeObject => ({
  ...object("Prometheus", "main", spec),
  metadata: { name: "main", namespace: "monitoring" },
});

describe("what Prometheus' targets say of a service", () => {
  it("is proven by one target that is up", () => {
    expect(judgeTargets([target({}), target({ health: "down" })])).toEqual({ status: "proven", targets: 1 });
  });

  it("is broken by a target that is down, in Prometheus' own words", () => {
    const down = target({ health: "down", lastError: "server returned HTTP status 404 Not Found" });
    expect(judgeTargets([down])).toEqual({
      status: "broken",
      reason:
        "Prometheus cannot scrape http://10.0.0.7:9090/metrics: server returned HTTP status 404 Not Found",
    });
  });

  it("is open while nothing was scraped", () => {
    expect(judgeTargets([target({ health: "unknown" })])).toMatchObject({ status: "unproven" });
    expect(judgeTargets([])).toBeUndefined();
  });
});

describe("why a ServiceMonitor has no target", () => {
  it("finds the monitor that matches the Service and its port", () => {
    expect(matchMonitor([monitor], service, "app-ledger")).toEqual({ monitor });
  });

  it("names the label the Service lacks", () => {
    const unlabelled = object("Service", "ledger", service.spec);
    expect(matchMonitor([monitor], unlabelled, "app-ledger")).toEqual({
      reason: "ServiceMonitor ledger selects Services with app=ledger, and ledger is not labelled so",
    });
  });

  it("names the port the Service lacks", () => {
    const other = object("Service", "ledger", { ports: [{ name: "http", port: 8080 }] }, { app: "ledger" });
    expect(matchMonitor([monitor], other, "app-ledger")).toEqual({
      reason: "ServiceMonitor ledger scrapes port metrics, and Service ledger has only http",
    });
  });

  it("says that there is no monitor", () => {
    expect(matchMonitor([], service, "app-ledger")).toEqual({
      reason: "there is no ServiceMonitor in app-ledger",
    });
  });

  it.each([
    [{}, "Prometheus monitoring/main selects no ServiceMonitors"],
    [
      { serviceMonitorSelector: { matchLabels: { release: "kube" } }, serviceMonitorNamespaceSelector: {} },
      "Prometheus monitoring/main selects ServiceMonitors with release=kube, and ledger is not labelled so (monitoring.labels of the standards)",
    ],
    [
      { serviceMonitorSelector: {} },
      "Prometheus monitoring/main selects ServiceMonitors of its own namespace only",
    ],
    [
      { serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: { matchLabels: { team: "x" } } },
      "Prometheus monitoring/main looks into namespaces with team=x, and app-ledger is not labelled so",
    ],
  ])("explains a Prometheus with %j", (spec, reason) => {
    expect(whySelectedByNone([server(spec)], monitor, home)).toBe(reason);
  });

  it("is content with one Prometheus of several that selects the monitor", () => {
    const selecting = server({ serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: {} });
    expect(whySelectedByNone([server({}), selecting], monitor, home)).toBeUndefined();
  });
});

describe("label selectors", () => {
  it.each([
    ["In", ["a", "b"], { k: "a" }, { k: "c" }],
    ["NotIn", ["a"], {}, { k: "a" }],
    ["Exists", [], { k: "" }, {}],
    ["DoesNotExist", [], {}, { k: "" }],
  ])("evaluate %s as Kubernetes does", (operator, values, meets, fails) => {
    const selector = { matchLabels: {}, matchExpressions: [{ key: "k", operator, values }] };
    expect(unmet(selector, meets as Record<string, string>)).toBeUndefined();
    expect(unmet(selector, fails as Record<string, string>)).toContain("k");
  });
});
