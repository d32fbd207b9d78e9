import { createHash } from "node:crypto";
import type { KubeObject } from "../../cluster/object.ts";
import { databaseNames } from "../credentials.ts";
import { isInCluster } from "../store-provider.ts";
import { errorRatio, latency, seriesOf } from "./alerts.ts";
import { isAlone, metadataOf, type Subject } from "./subject.ts";

interface Series {
  readonly expr: string;
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
}

/** At most 40 characters, as Grafana wants them; the same dashboard keeps its address. */
function uidOf(subject: Subject): string {
  const { name, namespace } = subject;
  if (isAlone(subject)) return namespace.slice(0, 40);
  return createHash("sha256").update(`${namespace}/${name}`).digest("hex").slice(0, 40);
}

function panels(subject: Subject): Panel[] {
  const { name, namespace, spec, application } = subject;
  const own = seriesOf(subject);
  const inNamespace = `namespace="${namespace}"`;
  const container = `${inNamespace},container="${name}"`;
  const volumes = `${inNamespace},persistentvolumeclaim=~"data-${isAlone(subject) ? "" : `${name}-(db|cache)-`}.*"`;
  const hasVolumes = isInCluster(spec, "database") || isInCluster(spec, "cache");
  return [
    {
      title: "Requests",
      unit: "reqps",
      series: [{ expr: `sum by (code) (rate(http_requests_total{${own}}[5m]))`, legend: "{{code}}" }],
    },
    { title: "Errors", unit: "percentunit", series: [{ expr: errorRatio(subject), legend: "5xx" }] },
    {
      title: "Latency",
      unit: "s",
      series: [0.5, 0.95, 0.99].map((q) => ({ expr: latency(subject, q), legend: `p${q * 100}` })),
    },
    {
      title: "Pods that are scraped",
      unit: "none",
      series: [{ expr: `sum(up{${own}})`, legend: "up" }],
    },
    {
      title: "CPU",
      unit: "none",
      series: [
        {
          expr: `sum by (pod) (rate(container_cpu_usage_seconds_total{${container}}[5m]))`,
          legend: "{{pod}}",
        },
      ],
    },
    {
      title: "Memory",
      unit: "bytes",
      series: [
        { expr: `sum by (pod) (container_memory_working_set_bytes{${container}})`, legend: "{{pod}}" },
      ],
    },
    {
      title: "Restarts",
      unit: "none",
      series: [
        {
          expr: `sum by (pod) (increase(kube_pod_container_status_restarts_total{${isAlone(subject) ? inNamespace : container}}[1h]))`,
          legend: "{{pod}}",
        },
      ],
    },
    ...(hasVolumes
      ? [
          {
            title: "Volumes in use",
            unit: "percentunit",
            series: [
              {
                expr: `kubelet_volume_stats_used_bytes{${volumes}} / kubelet_volume_stats_capacity_bytes{${volumes}}`,
                legend: "{{persistentvolumeclaim}}",
              },
            ],
          },
        ]
      : []),
    ...(!isInCluster(spec, "database")
      ? []
      : [
          {
            title: "Database CPU",
            unit: "none",
            series: [
              {
                expr: `sum(rate(container_cpu_usage_seconds_total{${inNamespace},pod="${databaseNames(application).name}-0",container="postgres"}[5m]))`,
                legend: "cores",
              },
            ],
          },
        ]),
  ];
}

/** A Grafana dashboard as its sidecar finds it: a ConfigMap with label `grafana_dashboard`. */
export function dashboard(subject: Subject): KubeObject {
  const model = {
    uid: uidOf(subject),
    title: subject.name,
    tags: ["platform", subject.team],
    schemaVersion: 39,
    editable: false,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    templating: {
      list: [{ name: "datasource", type: "datasource", query: "prometheus", label: "Data source" }],
    },
    panels: panels(subject).map((panel, index) => ({
      id: index + 1,
      type: "timeseries",
      title: panel.title,
      datasource: { type: "prometheus", uid: "$datasource" },
      gridPos: { x: (index % 2) * 12, y: Math.floor(index / 2) * 8, w: 12, h: 8 },
      fieldConfig: { defaults: { unit: panel.unit, min: 0 }, overrides: [] },
      targets: panel.series.map((series, position) => ({
        refId: String.fromCharCode(65 + position),
        expr: series.expr,
        legendFormat: series.legend,
      })),
    })),
  };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadataOf(subject, "monitoring", `${subject.name}-dashboard`, {
      labels: { grafana_dashboard: "1" },
    }),
    data: { [`${subject.name}.json`]: JSON.stringify(model, null, 2) },
  };
}
