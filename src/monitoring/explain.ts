import { z } from "zod";
import { metricsServiceOf } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { conditionsOf, holds } from "../cluster/conditions.ts";
import { isClusterError } from "../cluster/errors.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import { cleanText } from "../cluster/text.ts";
import { labelSelectorSchema, unmet } from "./label-selector.ts";
import type { Proof } from "./metrics.ts";

/** `spec` of a ServiceMonitor, as far as it decides which ports are scraped. */
const monitorSchema = z.object({
  selector: labelSelectorSchema.prefault({}),
  endpoints: z
    .array(z.object({ port: z.string().optional(), targetPort: z.union([z.string(), z.int()]).optional() }))
    .default([]),
});

/** `spec` of a Service. */
const serviceSchema = z.object({
  ports: z.array(z.object({ name: z.string().optional(), port: z.int() })).default([]),
  selector: z.record(z.string(), z.string()).default({}),
});

/** `spec` of a Prometheus: a selector that is left out selects nothing, an empty one everything. */
const prometheusSchema = z.object({
  serviceMonitorSelector: labelSelectorSchema.nullish(),
  serviceMonitorNamespaceSelector: labelSelectorSchema.nullish(),
});

/**
 * Why Prometheus has no target for a service, in the order in which a target comes about: a ServiceMonitor that
 * matches the Service and a port of it, a Prometheus that selects the monitor, pods that are ready.
 * @throws ClusterError where the monitor, Service or pods cannot be read.
 */
export async function explainNoTarget(
  cluster: Cluster,
  subject: { readonly name: string; readonly namespace: string },
  signal?: AbortSignal,
): Promise<Proof> {
  const { name, namespace } = subject;
  const within = { namespace, ...(signal === undefined ? {} : { signal }) };
  const [monitors, services] = await Promise.all([
    cluster.list(resources.serviceMonitors, within),
    cluster.list(resources.services, within),
  ]);
  const scraped = metricsServiceOf(name);
  const service = services.items.find(({ metadata }) => metadata.name === scraped);
  if (service === undefined) return broken(`there is no Service ${scraped} in ${namespace}`);
  const matched = matchMonitor(monitors.items, service, namespace);
  if ("reason" in matched) return broken(matched.reason);
  const unselected = await unselectedBecause(cluster, matched.monitor, namespace, signal);
  if (unselected !== undefined) return broken(unselected);
  const { selector } = serviceSchema.parse(service.spec ?? {});
  const labelSelector = Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const pods = await cluster.list(resources.pods, { ...within, labelSelector });
  if (!pods.items.some((pod) => holds(conditionsOf(pod), "Ready"))) {
    return {
      status: "unproven",
      reason: pods.items.length === 0 ? "the service has no pods yet" : "no pod of the service is ready yet",
    };
  }
  return {
    status: "unproven",
    reason: "everything is in place, but Prometheus shows no target yet; finding one takes up to two minutes",
  };
}

/** The monitor that selects the Service and a port it has, or why none does. Pure. */
export function matchMonitor(
  monitors: readonly KubeObject[],
  service: KubeObject,
  namespace: string,
): { readonly monitor: KubeObject } | { readonly reason: string } {
  if (monitors.length === 0) return { reason: `there is no ServiceMonitor in ${namespace}` };
  let reason = "";
  for (const monitor of monitors) {
    const spec = monitorSchema.safeParse(monitor.spec ?? {});
    if (!spec.success) {
      reason ||= `ServiceMonitor ${monitor.metadata.name} cannot be read`;
      continue;
    }
    const requirement = unmet(spec.data.selector, service.metadata.labels ?? {});
    if (requirement !== undefined) {
      reason ||= `ServiceMonitor ${monitor.metadata.name} selects Services with ${requirement}, and ${service.metadata.name} is not labelled so`;
      continue;
    }
    const { ports } = serviceSchema.parse(service.spec ?? {});
    const wanted = spec.data.endpoints;
    const found = wanted.some(
      ({ port, targetPort }) =>
        targetPort !== undefined || ports.some((candidate) => candidate.name === port),
    );
    if (found) return { monitor };
    const names = ports.map((port) => port.name ?? String(port.port)).join(", ");
    reason ||= `ServiceMonitor ${monitor.metadata.name} scrapes port ${wanted.map(({ port }) => port).join(", ")}, and Service ${service.metadata.name} has only ${names === "" ? "none" : names}`;
  }
  return { reason: cleanText(reason) };
}

/** Why no Prometheus of the cluster selects the monitor; undefined where one does, or where that cannot be seen. */
async function unselectedBecause(
  cluster: Cluster,
  monitor: KubeObject,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const options = signal === undefined ? {} : { signal };
  try {
    if (!(await cluster.serves(resources.prometheuses, options))) return undefined;
    const [servers, home] = await Promise.all([
      cluster.list(resources.prometheuses, options),
      cluster.get(resources.namespaces, { name: namespace }, options),
    ]);
    // A Prometheus that runs without prometheus-operator has no object, and may still scrape.
    if (servers.items.length === 0) return undefined;
    return whySelectedByNone(servers.items, monitor, home);
  } catch (error) {
    if (isClusterError(error, "forbidden", "not-found")) return undefined;
    throw error;
  }
}

/** Why none of these Prometheus objects selects a monitor that lives in the namespace `home`; undefined where one does. Pure. */
export function whySelectedByNone(
  servers: readonly KubeObject[],
  monitor: KubeObject,
  home: KubeObject,
): string | undefined {
  let reason: string | undefined;
  for (const server of servers) {
    const because = whyNotSelected(server, monitor, home);
    if (because === undefined) return undefined;
    reason ??= because;
  }
  return reason === undefined ? undefined : cleanText(reason);
}

function whyNotSelected(server: KubeObject, monitor: KubeObject, home: KubeObject): string | undefined {
  const who = `Prometheus ${server.metadata.namespace ?? ""}/${server.metadata.name}`;
  const spec = prometheusSchema.safeParse(server.spec ?? {});
  if (!spec.success) return `${who} cannot be read`;
  const { serviceMonitorSelector: monitors, serviceMonitorNamespaceSelector: namespaces } = spec.data;
  if (monitors === undefined || monitors === null) return `${who} selects no ServiceMonitors`;
  const label = unmet(monitors, monitor.metadata.labels ?? {});
  if (label !== undefined) {
    return `${who} selects ServiceMonitors with ${label}, and ${monitor.metadata.name} is not labelled so (monitoring.labels of the standards)`;
  }
  if (namespaces === undefined || namespaces === null) {
    return server.metadata.namespace === home.metadata.name
      ? undefined
      : `${who} selects ServiceMonitors of its own namespace only`;
  }
  const namespaceLabel = unmet(namespaces, home.metadata.labels ?? {});
  return namespaceLabel === undefined
    ? undefined
    : `${who} looks into namespaces with ${namespaceLabel}, and ${home.metadata.name} is not labelled so`;
}

function broken(reason: string): Proof {
  return { status: "broken", reason };
}
