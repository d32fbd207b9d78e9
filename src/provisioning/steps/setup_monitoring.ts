import { desiredObjects } from "../../application/desired-objects.ts";
import { isRecord, type KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { writes } from "../describe.ts";
import { StepError } from "../errors.ts";
import type { PlanContext, Step } from "../step.ts";
import { partChanges } from "./change.ts";
import { served } from "./served.ts";

/** Scraping, alerts and dashboard, as far as the cluster serves their kinds. */
export const setupMonitoring: Step = {
  id: "setup_monitoring",
  title: "Monitoring",
  needs: ["create_namespace"],
  skippable: true,
  when: (context) => partChanges(context, "monitoring"),

  async describe(context) {
    const { objects, missing } = await wanted(context);
    return writes(context, objects, missing);
  },

  async apply(context) {
    const { standards, write, log } = context;
    const { objects, missing } = await wanted(context);
    if (missing.length > 0 && standards.monitoring.whenMissing === "fail") {
      throw new StepError(
        "refused",
        missing.join("; "),
        "have a platform engineer install prometheus-operator, or set monitoring.whenMissing to warn in the standards",
      );
    }
    if (objects.length > 0) await write.objects(objects);
    for (const line of missing) log(line);
    return { summary: summaryOf(objects), warnings: missing };
  },
};

async function wanted({ application, standards, cluster }: PlanContext) {
  const serviceMonitors = await cluster.serves(resources.serviceMonitors);
  return served(cluster, desiredObjects(application, standards, { serviceMonitors }).monitoring);
}

/** `ServiceMonitor, 2 alerts, dashboard`. */
function summaryOf(objects: readonly KubeObject[]): string {
  const alerts = objects
    .filter(({ kind }) => kind === "PrometheusRule")
    .reduce((sum, rule) => sum + alertsIn(rule), 0);
  const has = (kind: string) => objects.some((object) => object.kind === kind);
  const made = [
    ...(has("ServiceMonitor") ? ["ServiceMonitor"] : []),
    ...(alerts === 0 ? [] : [alerts === 1 ? "1 alert" : `${alerts} alerts`]),
    ...(has("ConfigMap") ? ["dashboard"] : []),
  ];
  return made.length === 0 ? "off" : made.join(", ");
}

function alertsIn({ spec }: KubeObject): number {
  const groups = isRecord(spec) && Array.isArray(spec.groups) ? spec.groups : [];
  return groups.reduce((sum: number, group: unknown) => {
    return sum + (isRecord(group) && Array.isArray(group.rules) ? group.rules.length : 0);
  }, 0);
}
