import { z } from "zod";
import type { Api, StoredObject } from "../api.ts";
import { podsBehind, targetPort } from "../controllers/endpoints.ts";
import { behaviourOf } from "../controllers/images.ts";
import { selects } from "../controllers/label-selector.ts";
import {
  conditionsStatusShape,
  type LabelSelector,
  labelSelector,
  type Pod,
  readPod,
  type ServiceSpec,
  serviceSpecShape,
  typed,
} from "../controllers/shapes.ts";

export interface ScrapeTarget {
  readonly labels: Readonly<Record<string, string>>;
  readonly discoveredLabels: Readonly<Record<string, string>>;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly health: "up" | "down" | "unknown";
  readonly lastError: string;
  readonly intervalSeconds: number;
  readonly pod: Pod;
}

/** What the answers of the simulated Prometheus are made from. */
export interface PrometheusView {
  readonly api: Api;
  readonly now: Date;
  /** Divides the time until a new target is first scraped. */
  readonly speed: number;
}

const nullableSelector = labelSelector.nullish();
const prometheusSpec = z.looseObject({
  serviceMonitorSelector: nullableSelector,
  serviceMonitorNamespaceSelector: nullableSelector,
  ruleSelector: nullableSelector,
  ruleNamespaceSelector: nullableSelector,
});
const monitorSpec = z.looseObject({
  jobLabel: z.string().default(""),
  targetLabels: z.array(z.string()).default([]),
  selector: labelSelector.prefault({}),
  namespaceSelector: z
    .looseObject({ any: z.boolean().optional(), matchNames: z.array(z.string()).optional() })
    .prefault({}),
  endpoints: z
    .array(
      z.looseObject({
        port: z.string().optional(),
        targetPort: z.union([z.number(), z.string()]).optional(),
        path: z.string().default("/metrics"),
        scheme: z.string().default("http"),
        interval: z.string().default("30s"),
        scrapeTimeout: z.string().default("10s"),
      }),
    )
    .default([]),
});
type MonitorSpec = z.output<typeof monitorSpec>;
const unknownStatus = z.unknown();

/** Discovery and the first scrape together, at speed 1. */
const firstScrapeMs = 4000;

/**
 * The Prometheus objects' selections, as prometheus-operator resolves them: a missing selector selects nothing,
 * an empty one everything; a missing namespace selector means the Prometheus' own namespace.
 */
export function selectedBy(
  api: Api,
  what: "serviceMonitor" | "rule",
  candidates: readonly StoredObject[],
): StoredObject[] {
  const namespaces = new Map(
    api.list("/namespaces").map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
  );
  const chosen = new Set<StoredObject>();
  for (const prometheus of api.list("monitoring.coreos.com/prometheuses")) {
    const { spec } = typed(prometheus, prometheusSpec, unknownStatus);
    const selector = what === "rule" ? spec.ruleSelector : spec.serviceMonitorSelector;
    const where = what === "rule" ? spec.ruleNamespaceSelector : spec.serviceMonitorNamespaceSelector;
    for (const candidate of candidates) {
      if (!selector || !selects(selector, candidate.metadata.labels)) continue;
      if (inNamespace(where, prometheus, candidate, namespaces)) chosen.add(candidate);
    }
  }
  return [...chosen];
}

function inNamespace(
  selector: LabelSelector | null | undefined,
  prometheus: StoredObject,
  candidate: StoredObject,
  namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>,
): boolean {
  const namespace = candidate.metadata.namespace ?? "";
  if (!selector) return namespace === prometheus.metadata.namespace;
  return selects(selector, namespaces.get(namespace));
}

/**
 * The targets that a Prometheus would have: selected ServiceMonitors, the Services they select, and of those the
 * pods behind a port of the wanted name. Network policies are not simulated: a pod they shut off is up all the same.
 */
export function scrapeTargets(view: PrometheusView): ScrapeTarget[] {
  const { api } = view;
  const monitors = selectedBy(api, "serviceMonitor", api.list("monitoring.coreos.com/servicemonitors"));
  const pods = new Map<string, readonly Pod[]>();
  const podsIn = (namespace: string) => {
    const known = pods.get(namespace);
    if (known !== undefined) return known;
    const found = api.list("/pods", { namespace }).map(readPod);
    pods.set(namespace, found);
    return found;
  };
  return monitors.flatMap((monitor) => {
    const { spec } = typed(monitor, monitorSpec, unknownStatus);
    return servicesOf(api, monitor, spec).flatMap((service) =>
      spec.endpoints.flatMap((endpoint, index) =>
        targetsOf(view, {
          monitor,
          spec,
          endpoint,
          index,
          service,
          pods: podsIn(service.metadata.namespace ?? ""),
        }),
      ),
    );
  });
}

function servicesOf(api: Api, monitor: StoredObject, { namespaceSelector, selector }: MonitorSpec) {
  const namespaces =
    namespaceSelector.any === true
      ? [undefined]
      : (namespaceSelector.matchNames ?? [monitor.metadata.namespace ?? ""]);
  return namespaces
    .flatMap((namespace) => api.list("/services", namespace === undefined ? {} : { namespace }))
    .filter(({ metadata }) => selects(selector, metadata.labels));
}

function targetsOf(
  { now, speed }: PrometheusView,
  found: {
    readonly monitor: StoredObject;
    readonly spec: MonitorSpec;
    readonly endpoint: MonitorSpec["endpoints"][number];
    readonly index: number;
    readonly service: StoredObject;
    readonly pods: readonly Pod[];
  },
): ScrapeTarget[] {
  const { monitor, spec, endpoint, index, service } = found;
  const shape: ServiceSpec = typed(service, serviceSpecShape, conditionsStatusShape).spec;
  const pool = `serviceMonitor/${monitor.metadata.namespace ?? ""}/${monitor.metadata.name}/${index}`;
  const ports = shape.ports.filter(
    (port) =>
      (endpoint.port !== undefined && port.name === endpoint.port) ||
      (endpoint.port === undefined &&
        endpoint.targetPort !== undefined &&
        port.targetPort === endpoint.targetPort),
  );
  return ports.flatMap((port) =>
    podsBehind(shape, found.pods).flatMap((pod): ScrapeTarget[] => {
      const number = targetPort(port, pod);
      if (number === undefined) return [];
      const address = `${pod.status.podIP ?? ""}:${number}`;
      const scrapeUrl = `${endpoint.scheme}://${address}${endpoint.path}`;
      const serviceName = service.metadata.name;
      const namespace = service.metadata.namespace ?? "";
      const job = service.metadata.labels?.[spec.jobLabel] ?? serviceName;
      const copied = spec.targetLabels.flatMap((label): [string, string][] => {
        const value = service.metadata.labels?.[label];
        return value === undefined ? [] : [[label.replace(/[^a-zA-Z0-9_]/g, "_"), value]];
      });
      return [
        {
          pod,
          scrapePool: pool,
          scrapeUrl,
          intervalSeconds: Number.parseInt(endpoint.interval, 10) || 30,
          ...healthOf(pod, scrapeUrl, now.getTime() - bornAt(monitor, pod), firstScrapeMs / speed),
          labels: {
            ...Object.fromEntries(copied),
            container: pod.spec.containers[0]?.name ?? "",
            endpoint: endpoint.port ?? "",
            instance: address,
            job,
            namespace,
            pod: pod.metadata.name,
            service: serviceName,
          },
          discoveredLabels: {
            __address__: address,
            __metrics_path__: endpoint.path,
            __scheme__: endpoint.scheme,
            __scrape_interval__: endpoint.interval,
            __scrape_timeout__: endpoint.scrapeTimeout,
            __meta_kubernetes_namespace: namespace,
            __meta_kubernetes_service_name: serviceName,
            __meta_kubernetes_pod_name: pod.metadata.name,
            __meta_kubernetes_endpoint_port_name: port.name ?? "",
            job: pool,
          },
        },
      ];
    }),
  );
}

/** When discovery first could see the target, in milliseconds. */
function bornAt(monitor: StoredObject, pod: Pod): number {
  const started = pod.status.containerStatuses[0]?.state.running?.startedAt;
  return Math.max(
    Date.parse(monitor.metadata.creationTimestamp),
    Date.parse(started ?? pod.metadata.creationTimestamp),
  );
}

function healthOf(
  pod: Pod,
  scrapeUrl: string,
  ageMs: number,
  firstMs: number,
): Pick<ScrapeTarget, "health" | "lastError"> {
  if (ageMs < firstMs) return { health: "unknown", lastError: "" };
  const running = pod.status.containerStatuses.some(({ state }) => state.running !== undefined);
  if (!running) {
    const address = new URL(scrapeUrl).host;
    return {
      health: "down",
      lastError: `Get "${scrapeUrl}": dial tcp ${address}: connect: connection refused`,
    };
  }
  const serves = pod.spec.containers.some(({ image }) => behaviourOf(image).metrics);
  return serves
    ? { health: "up", lastError: "" }
    : { health: "down", lastError: "server returned HTTP status 404 Not Found" };
}
