import { z } from "zod";
import type { Cluster } from "../cluster/cluster.ts";
import { ClusterError } from "../cluster/errors.ts";
import { cleanText } from "../cluster/text.ts";
import type { Standards } from "../standards/standards.ts";
import type { Metrics, Target } from "./metrics.ts";

/** `GET /api/v1/targets?state=active` of Prometheus' HTTP API, as far as it is read. */
const targetsSchema = z.object({
  status: z.literal("success"),
  data: z.object({
    activeTargets: z.array(
      z.object({
        labels: z.record(z.string(), z.string()).default({}),
        discoveredLabels: z.record(z.string(), z.string()).default({}),
        health: z.string().default("unknown"),
        lastError: z.string().default(""),
        scrapeUrl: z.string().default(""),
      }),
    ),
  }),
});

/** `GET /api/v1/alerts`. */
const alertsSchema = z.object({
  status: z.literal("success"),
  data: z.object({
    alerts: z.array(
      z.object({ labels: z.record(z.string(), z.string()).default({}), state: z.string().default("") }),
    ),
  }),
});

/**
 * The Prometheus of the standards, asked through the API server's service proxy: whoever may reach the cluster needs
 * no other way to it. Without one in the standards every question fails with a ClusterError `not-found`.
 */
export function prometheus(cluster: Cluster, standards: Standards): Metrics {
  const address = standards.monitoring.prometheus;

  async function ask<T>(path: string, schema: z.ZodType<T>, signal: AbortSignal | undefined): Promise<T> {
    if (address === undefined) {
      throw new ClusterError("not-found", "no Prometheus is named in the standards (monitoring.prometheus)");
    }
    const body = await cluster.serviceProxy({ ...address, path }, signal === undefined ? {} : { signal });
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new ClusterError(
      "server",
      `service ${address.namespace}/${address.service}, port ${address.port}, does not answer as Prometheus does`,
      { request: `get ${path}`, cause: parsed.error },
    );
  }

  return {
    async targets({ namespace, signal } = {}) {
      const { data } = await ask("api/v1/targets?state=active", targetsSchema, signal);
      const targets = data.activeTargets.map(targetOf);
      return namespace === undefined ? targets : targets.filter((target) => target.namespace === namespace);
    },

    async firing({ signal } = {}) {
      const { data } = await ask("api/v1/alerts", alertsSchema, signal);
      return data.alerts
        .filter(({ state, labels }) => state === "firing" && labels.namespace !== undefined)
        .map(({ labels }) => ({
          namespace: cleanText(labels.namespace ?? ""),
          service: cleanText(labels.service ?? ""),
          alert: cleanText(labels.alertname ?? ""),
        }));
    },
  };
}

type RawTarget = z.output<typeof targetsSchema>["data"]["activeTargets"][number];

function targetOf({ labels, discoveredLabels, health, lastError, scrapeUrl }: RawTarget): Target {
  // Relabelling may rename the labels; what discovery saw stays.
  const namespace = discoveredLabels.__meta_kubernetes_namespace ?? labels.namespace ?? "";
  const service = discoveredLabels.__meta_kubernetes_service_name ?? labels.service ?? "";
  return {
    namespace: cleanText(namespace),
    service: cleanText(service),
    health: health === "up" || health === "down" ? health : "unknown",
    lastError: cleanText(lastError),
    scrapeUrl: cleanText(scrapeUrl),
  };
}
