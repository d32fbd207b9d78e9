import type { KubeObject } from "../../cluster/object.ts";
import type { alertNames } from "../request.ts";
import { isAlone, metadataOf, type Subject } from "./subject.ts";

type AlertName = (typeof alertNames)[number];

/** Label matchers of a service's own series: those of its namespace, or of its job where it shares one. */
export function seriesOf(subject: Subject): string {
  const { name, namespace } = subject;
  return isAlone(subject) ? `namespace="${namespace}"` : `namespace="${namespace}",job="${name}"`;
}

/** Share of answers that were errors (5xx) over five minutes, from what every skeleton exports. */
export function errorRatio(subject: Subject): string {
  const of = (matcher: string) => `sum(rate(http_requests_total{${seriesOf(subject)}${matcher}}[5m]))`;
  return `${of(',code=~"5.."')} / ${of("")}`;
}

/** The time, in seconds, within which this share of requests was answered, over five minutes. */
export function latency(subject: Subject, quantile: number): string {
  return `histogram_quantile(${quantile}, sum by (le) (rate(http_request_duration_seconds_bucket{${seriesOf(subject)}}[5m])))`;
}

interface Rule {
  readonly expr: string;
  readonly for: string;
  readonly severity: "critical" | "warning";
  readonly summary: string;
  readonly description: string;
}

function rule(alert: AlertName, subject: Subject): Rule {
  const { name } = subject;
  switch (alert) {
    case "high-error-rate":
      return {
        expr: `${errorRatio(subject)} > 0.05`,
        for: "5m",
        severity: "critical",
        summary: `${name} answers more than 5 % of its requests with an error`,
        description: `{{ $value | humanizePercentage }} of the requests to ${name} have failed over the last 5 minutes.`,
      };
    case "high-latency":
      return {
        expr: `${latency(subject, 0.99)} > 1`,
        for: "10m",
        severity: "warning",
        summary: `${name} takes more than a second for 1 % of its requests`,
        description: `The slowest 1 % of the requests to ${name} take {{ $value | humanizeDuration }} or more.`,
      };
  }
}

/** The PrometheusRule of the alerts that were chosen; none without any. */
export function alerts(subject: Subject): KubeObject[] {
  const chosen = subject.spec.monitoring.alerts;
  if (chosen.length === 0) return [];
  return [
    {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PrometheusRule",
      metadata: metadataOf(subject, "monitoring", subject.name, {
        labels: subject.standards.monitoring.labels,
      }),
      spec: {
        groups: [
          {
            name: `${subject.name}.requests`,
            rules: chosen.map((alert) => {
              const { expr, for: duration, severity, summary, description } = rule(alert, subject);
              return {
                alert,
                expr,
                for: duration,
                labels: { severity, service: subject.name, team: subject.team },
                annotations: { summary, description },
              };
            }),
          },
        ],
      },
    },
  ];
}
