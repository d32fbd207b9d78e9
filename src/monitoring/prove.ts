import { metricsServiceOf } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { resources } from "../cluster/resource.ts";
import type { Standards } from "../standards/standards.ts";
import { explainNoTarget } from "./explain.ts";
import type { Metrics, Proof, Target } from "./metrics.ts";

/** What is proven: whether the metrics of one service's pods reach Prometheus. */
export interface Subject {
  readonly name: string;
  readonly namespace: string;
  /** `spec.monitoring.enabled` of the Application. */
  readonly enabled: boolean;
}

/** What a proof is looked for in. */
export interface Evidence {
  readonly cluster: Cluster;
  readonly metrics: Metrics;
  readonly standards: Standards;
}

/**
 * Looks for evidence that monitoring works, and where there is none, for the reason: from Prometheus' targets back
 * over the ServiceMonitor and what selects it to the pods. Reads only; a part one may not read is left out.
 * @throws the signal's reason; every other failure becomes part of the answer.
 */
export async function prove(
  { cluster, metrics, standards }: Evidence,
  subject: Subject,
  signal?: AbortSignal,
): Promise<Proof> {
  if (!subject.enabled) return { status: "off" };
  const options = signal === undefined ? {} : { signal };
  if (standards.monitoring.prometheus === undefined) {
    const served = await servesMonitors(cluster, signal);
    return {
      status: "unproven",
      reason: served
        ? "no Prometheus is named in the standards (monitoring.prometheus), so nobody can be asked"
        : noMonitors,
    };
  }
  let targets: readonly Target[];
  try {
    targets = await metrics.targets({ namespace: subject.namespace, ...options });
  } catch (error) {
    signal?.throwIfAborted();
    if (!isClusterError(error)) throw error;
    return { status: "unproven", reason: `Prometheus does not answer: ${error.message}` };
  }
  const fromTargets = judgeTargets(targets.filter(({ service }) => isOf(subject.name, service)));
  if (fromTargets !== undefined) return fromTargets;
  try {
    if (!(await servesMonitors(cluster, signal))) return { status: "unproven", reason: noMonitors };
    return await explainNoTarget(cluster, subject, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (!isClusterError(error)) throw error;
    return {
      status: "unproven",
      reason: `Prometheus has no target, and why could not be read: ${error.message}`,
    };
  }
}

/** Whether a target's Service belongs to the platform's service of that name. */
export function isOf(name: string, service: string): boolean {
  return service === metricsServiceOf(name) || service === name;
}

/** What a service's own targets say; undefined where there are none, which needs an explanation. Pure. */
export function judgeTargets(targets: readonly Target[]): Proof | undefined {
  const up = targets.filter(({ health }) => health === "up").length;
  if (up > 0) return { status: "proven", targets: up };
  const down = targets.find(({ health }) => health === "down");
  if (down !== undefined) {
    const why = down.lastError === "" ? "the scrape fails" : down.lastError;
    return { status: "broken", reason: `Prometheus cannot scrape ${down.scrapeUrl}: ${why}` };
  }
  return targets.length > 0
    ? { status: "unproven", reason: "Prometheus knows the target and has not scraped it yet" }
    : undefined;
}

const noMonitors =
  "the cluster serves no ServiceMonitors (prometheus-operator is not installed), so nothing scrapes the service";

function servesMonitors(cluster: Cluster, signal: AbortSignal | undefined): Promise<boolean> {
  return cluster.serves(resources.serviceMonitors, signal === undefined ? {} : { signal });
}
