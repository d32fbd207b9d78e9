import type { KubeObject } from "../../cluster/object.ts";
import { labels, metricsServiceOf } from "../names.ts";
import { ports } from "../ports.ts";
import { alerts } from "./alerts.ts";
import { dashboard } from "./dashboard.ts";
import { metadataOf, type Subject, selectorOf } from "./subject.ts";

/** What a Prometheus without an operator goes by, as its example configurations have it. */
const toBeScraped = {
  "prometheus.io/scrape": "true",
  "prometheus.io/port": String(ports.metrics.number),
  "prometheus.io/path": "/metrics",
};

/** The Service whose endpoints Prometheus scrapes: apart from the one that takes requests, which not every service has. */
function metricsService(subject: Subject): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(
      subject,
      "monitoring",
      metricsServiceOf(subject.name),
      subject.facts.serviceMonitors === false ? { annotations: toBeScraped } : {},
    ),
    spec: {
      clusterIP: "None",
      selector: selectorOf(subject, "workload"),
      ports: [
        {
          name: ports.metrics.name,
          port: ports.metrics.number,
          targetPort: ports.metrics.name,
          protocol: "TCP",
          appProtocol: "http",
        },
      ],
    },
  };
}

function serviceMonitor(subject: Subject): KubeObject {
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "ServiceMonitor",
    metadata: metadataOf(subject, "monitoring", subject.name, {
      labels: subject.standards.monitoring.labels,
    }),
    spec: {
      jobLabel: "app.kubernetes.io/name",
      targetLabels: [labels.service, labels.team],
      namespaceSelector: { matchNames: [subject.namespace] },
      selector: {
        matchLabels: {
          [labels.service]: subject.name,
          "app.kubernetes.io/component": "monitoring",
        },
      },
      endpoints: [
        { port: ports.metrics.name, path: "/metrics", scheme: "http", interval: "30s", scrapeTimeout: "10s" },
      ],
    },
  };
}

/** What makes a service observable without configuration. */
export function monitoring(subject: Subject): KubeObject[] {
  if (!subject.spec.monitoring.enabled) return [];
  return [metricsService(subject), serviceMonitor(subject), ...alerts(subject), dashboard(subject)];
}
