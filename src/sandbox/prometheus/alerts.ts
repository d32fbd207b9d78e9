import { z } from "zod";
import { behaviourOf } from "../controllers/images.ts";
import { typed } from "../controllers/shapes.ts";
import { type PrometheusView, scrapeTargets, selectedBy } from "./targets.ts";

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly activeAt: string;
}

const texts = z.record(z.string(), z.string()).default({});
const ruleSpec = z.looseObject({
  groups: z
    .array(
      z.looseObject({
        rules: z
          .array(z.looseObject({ alert: z.string().optional(), labels: texts, annotations: texts }))
          .default([]),
      }),
    )
    .default([]),
});

/**
 * Alerts that fire. Nothing measures anything here: an alert of a selected PrometheusRule about errors fires while a
 * scraped pod of its namespace runs an image whose tag contains `errors`, one about latency with `latency`.
 */
export function firingAlerts(view: PrometheusView): FiringAlert[] {
  const { api } = view;
  const up = scrapeTargets(view).filter(({ health }) => health === "up");
  return selectedBy(api, "rule", api.list("monitoring.coreos.com/prometheusrules")).flatMap((rule) => {
    const { spec } = typed(rule, ruleSpec, z.unknown());
    const namespace = rule.metadata.namespace ?? "";
    const sick = up.filter(({ labels }) => labels.namespace === namespace);
    return spec.groups
      .flatMap(({ rules }) => rules)
      .flatMap(({ alert, labels, annotations }): FiringAlert[] => {
        if (alert === undefined) return [];
        const target = sick.find(({ pod }) =>
          pod.spec.containers.some(({ image }) => {
            const { errors, latency } = behaviourOf(image);
            return (errors && /error/i.test(alert)) || (latency && /latency/i.test(alert));
          }),
        );
        if (target === undefined) return [];
        const activeAt = target.pod.status.startTime ?? target.pod.metadata.creationTimestamp;
        const job = target.labels.job ?? "";
        return [{ labels: { alertname: alert, namespace, job, ...labels }, annotations, activeAt }];
      });
  });
}
