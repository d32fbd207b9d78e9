import pLimit from "p-limit";
import { labels, systemNamespace } from "../application/names.ts";
import type { ServiceRef } from "../application/service-ref.ts";
import type { Cluster, ListOptions } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { everyPage } from "../cluster/every-page.ts";
import type { Changes } from "../cluster/reflector.ts";
import { type Resource, resources } from "../cluster/resource.ts";
import type { Metrics } from "../monitoring/metrics.ts";
import {
  type ApplicationFacts,
  applicationFacts,
  type NamespaceFacts,
  namespaceFacts,
  type RunFacts,
  runFacts,
  type WorkloadFacts,
  workloadFacts,
} from "./facts.ts";
import { FleetIndex } from "./fleet-index.ts";
import { readProblem } from "./problem.ts";
import type { Scraping } from "./row.ts";
import { type Service, serviceKey, serviceOfKey } from "./service.ts";

/** Most services whose pods are read for a reason: the ones a person sees first. */
const explained = 50;

/** Label selector of everything the platform manages. */
export const managedSelector = `${labels.managed}=true`;

/**
 * All services with what the cluster says of each, what needs a person first. Six lists side by side, and pods only
 * of what is unhealthy. Lists one may not read leave their columns unknown.
 * @throws ClusterError where namespaces cannot be listed
 */
export async function listServices(
  cluster: Cluster,
  metrics: Metrics,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<readonly Service[]> {
  const all: ListOptions = { labelSelector: managedSelector, ...(signal === undefined ? {} : { signal }) };
  const [namespaces, applications, deployments, statefulSets, runs, scraping] = await Promise.all([
    managedNamespaces(cluster, all),
    applicationsIn(cluster, withoutLabels(all)),
    workloadsIn(cluster, resources.deployments, all),
    workloadsIn(cluster, resources.statefulSets, all),
    readable(listRuns(cluster, {}, signal)),
    askMetrics(metrics, signal),
  ]);
  return rowsOf(cluster, { namespaces, applications, deployments, statefulSets, runs, scraping }, signal);
}

/**
 * The services of a name: the one that has its own namespace, and those in shared ones; only the one of a namespace
 * where that is given. None where there is no such service.
 * @throws ClusterError where namespaces cannot be read
 */
export async function readServices(
  cluster: Cluster,
  metrics: Metrics,
  { name, namespace }: { readonly name: string; readonly namespace?: string | undefined },
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<readonly Service[]> {
  const asked = signal === undefined ? {} : { signal };
  const here: ListOptions = { ...asked, ...(namespace === undefined ? {} : { namespace }) };
  const labelled = { ...here, labelSelector: `${managedSelector},${labels.service}=${name}` };
  const [applications, deployments, statefulSets, runs, scraping] = await Promise.all([
    applicationsIn(cluster, { ...here, fieldSelector: `metadata.name=${name}` }),
    workloadsIn(cluster, resources.deployments, labelled),
    workloadsIn(cluster, resources.statefulSets, labelled),
    readable(listRuns(cluster, { labelSelector: `${labels.service}=${name}` }, signal)),
    askMetrics(metrics, signal),
  ]);
  const places = new Set([namespace ?? serviceOfKey(name).namespace]);
  for (const parts of [applications, deployments, statefulSets]) {
    for (const part of parts) places.add(part.namespace);
  }
  const limit = pLimit(4);
  const found = await Promise.all(
    [...places].map((place) =>
      limit(() =>
        managedNamespaces(cluster, {
          ...asked,
          labelSelector: managedSelector,
          fieldSelector: `metadata.name=${place}`,
        }),
      ),
    ),
  );
  const facts = { namespaces: found.flat(), applications, deployments, statefulSets, runs, scraping };
  const rows = await rowsOf(cluster, facts, signal);
  return rows.filter((row) => row.kind === "service" && row.name === name);
}

/** All that rows are made of. */
interface Facts {
  readonly namespaces: readonly NamespaceFacts[];
  readonly applications: readonly ApplicationFacts[];
  readonly deployments: readonly WorkloadFacts[];
  readonly statefulSets: readonly WorkloadFacts[];
  readonly runs: readonly RunFacts[];
  readonly scraping: Scraping;
}

/** The rows of what was listed, with why pods are not ready, from the pods. */
async function rowsOf(
  cluster: Cluster,
  { namespaces, applications, deployments, statefulSets, runs, scraping }: Facts,
  signal: AbortSignal | undefined,
): Promise<readonly Service[]> {
  const index = new FleetIndex();
  index.takeNamespaces(listed(namespaces, ({ name }) => name));
  const key = ({ namespace, name }: ServiceRef) => `${namespace}/${name}`;
  index.takeApplications(listed(applications, key));
  index.takeDeployments(listed(deployments, key));
  index.takeStatefulSets(listed(statefulSets, key));
  index.takeRuns(runs);
  index.takeScraping(scraping);
  index.takeComplete();
  index.update();
  const unready = index.services.map(serviceKey).filter((each) => index.unready(each) !== undefined);
  const limit = pLimit(4);
  await Promise.all(
    unready
      .slice(0, explained)
      .map((each) =>
        limit(async () => index.takeProblem(each, await readProblem(cluster, serviceOfKey(each), signal))),
      ),
  );
  index.update();
  return index.services;
}

function listed<T>(items: readonly T[], key: (item: T) => string): Changes<T> {
  return { changed: new Map(items.map((item) => [key(item), item])), removed: new Set(), complete: true };
}

function managedNamespaces(cluster: Cluster, options: ListOptions): Promise<NamespaceFacts[]> {
  return everyPage(
    (page) => cluster.listMetadata(resources.namespaces, { ...options, ...page }),
    ({ items }) => items.map(({ metadata }) => namespaceFacts(metadata)),
  );
}

function applicationsIn(cluster: Cluster, options: ListOptions): Promise<ApplicationFacts[]> {
  return readable(
    everyPage(
      (page) => cluster.list(resources.applications, { ...options, ...page }),
      ({ items }) => items.map(applicationFacts),
    ),
  );
}

function workloadsIn(cluster: Cluster, resource: Resource, options: ListOptions): Promise<WorkloadFacts[]> {
  return readable(
    everyPage(
      (page) => cluster.list(resource, { ...options, ...page }),
      ({ items }) => items.map(workloadFacts),
    ),
  );
}

/** Applications carry their service's labels only where the platform wrote them; their kind is enough. */
function withoutLabels({ labelSelector: _, ...options }: ListOptions): ListOptions {
  return options;
}

/** Runs without their journals, from the server's table, page by page. */
export function listRuns(
  cluster: Cluster,
  selection: Pick<ListOptions, "labelSelector">,
  signal: AbortSignal | undefined,
): Promise<RunFacts[]> {
  return everyPage(
    (page) =>
      cluster.listTable(resources.runs, {
        ...selection,
        ...page,
        namespace: systemNamespace,
        ...(signal === undefined ? {} : { signal }),
      }),
    runFacts,
  );
}

/** What Prometheus says, as a fact: a Prometheus that does not answer is one too. */
export async function askMetrics(metrics: Metrics, signal: AbortSignal | undefined): Promise<Scraping> {
  const options = signal === undefined ? {} : { signal };
  try {
    const [targets, firing] = await Promise.all([metrics.targets(options), metrics.firing(options)]);
    return { state: "answered", targets: byNamespace(targets), firing: byNamespace(firing) };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isClusterError(error)) throw error;
    return { state: "failed", reason: `nobody can be asked: ${error.message}` };
  }
}

function byNamespace<T extends { readonly namespace: string }>(
  items: readonly T[],
): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(items, ({ namespace }) => namespace);
}

/** A list that one may not read, or whose CRD is not there, is empty. */
async function readable<T>(list: Promise<T[]>): Promise<T[]> {
  try {
    return await list;
  } catch (error) {
    if (isClusterError(error, "forbidden", "not-found")) return [];
    throw error;
  }
}
