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

/** What was found, and whether it may be otherwise in a minute: pods, scrapes and discovery take their time. */
export interface Finding {
  readonly proof: Proof;
  readonly pending: boolean;
}

/** The proof of {@link investigate}. */
export async function prove(evidence: Evidence, subject: Subject, signal?: AbortSignal): Promise<Proof> {
  return (await investigate(evidence, subject, signal)).proof;
}

/**
 * Looks for evidence that monitoring works, and where there is none, for the reason: from Prometheus' targets back
 * over the ServiceMonitor and what selects it to the pods. Reads only; a part one may not read is left out.
 * @throws the signal's reason; every other failure becomes part of the answer.
 */
export async function investigate(
  { cluster, metrics, standards }: Evidence,
  subject: Subject,
  signal?: AbortSignal,
): Promise<Finding> {
  const settled = (proof: Proof): Finding => ({ proof, pending: false });
  const unproven = (reason: string): Finding => settled({ status: "unproven", reason });
  if (!subject.enabled) return settled({ status: "off" });
  try {
    if (standards.monitoring.prometheus === undefined) {
      return unproven((await servesMonitors(cluster, signal)) ? noPrometheus : noMonitors);
    }
    let targets: readonly Target[];
    try {
      targets = await metrics.targets({
        namespace: subject.namespace,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (!isClusterError(error)) throw error;
      return unproven(`Prometheus does not answer: ${error.message}`);
    }
    const proof = judgeTargets(targets.filter(({ service }) => isOf(subject.name, service)));
    if (proof !== undefined) return { proof, pending: proof.status !== "proven" };
    if (!(await servesMonitors(cluster, signal))) return unproven(noMonitors);
    const explanation = await explainNoTarget(cluster, subject, signal);
    return { proof: explanation, pending: explanation.status === "unproven" };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isClusterError(error)) throw error;
    return unproven(`why Prometheus has no target could not be read: ${error.message}`);
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

const noPrometheus =
  "no Prometheus is named in the standards (monitoring.prometheus), so nobody can be asked";

const noMonitors =
  "the cluster serves no ServiceMonitors (prometheus-operator is not installed), so nothing scrapes the service";

function servesMonitors(cluster: Cluster, signal: AbortSignal | undefined): Promise<boolean> {
  return cluster.serves(resources.serviceMonitors, signal === undefined ? {} : { signal });
}
