import pLimit from "p-limit";
import { labels, systemNamespace } from "../application/names.ts";
import type { Cluster, ListOptions } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { everyPage } from "../cluster/every-page.ts";
import type { KubeList } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import type { Metrics, Target } from "../monitoring/metrics.ts";
import {
  applicationFacts,
  isNewer,
  type NamespaceFacts,
  namespaceFacts,
  type RunFacts,
  runFacts,
  type WorkloadFacts,
  workloadFacts,
} from "./facts.ts";
import { readProblem } from "./problem.ts";
import { byUrgency, rowOf, type Scraping } from "./row.ts";
import type { Service } from "./service.ts";

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
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly Service[]> {
  return collect(cluster, metrics, undefined, options.signal);
}

/**
 * One service, by name; undefined where there is none.
 * @throws ClusterError where its namespace cannot be read
 */
export async function readService(
  cluster: Cluster,
  metrics: Metrics,
  name: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Service | undefined> {
  return (await collect(cluster, metrics, name, options.signal))[0];
}

async function collect(
  cluster: Cluster,
  metrics: Metrics,
  name: string | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly Service[]> {
  const labelSelector = name === undefined ? managedSelector : `${managedSelector},${labels.service}=${name}`;
  const all: ListOptions = { labelSelector, ...(signal === undefined ? {} : { signal }) };
  const here: ListOptions = name === undefined ? all : { ...all, namespace: `app-${name}` };
  const [namespaces, applications, deployments, statefulSets, runs, scraping] = await Promise.all([
    everyPage(
      (page) => cluster.listMetadata(resources.namespaces, { ...all, ...page }),
      ({ items }) => items.map(({ metadata }) => namespaceFacts(metadata)),
    ),
    readable(
      everyPage(
        (page) => cluster.list(resources.applications, { ...withoutLabels(here), ...page }),
        ({ items }) => items.map(applicationFacts),
      ),
    ),
    readable(everyPage((page) => cluster.list(resources.deployments, { ...here, ...page }), workloads)),
    readable(everyPage((page) => cluster.list(resources.statefulSets, { ...here, ...page }), workloads)),
    readable(
      listRuns(cluster, name === undefined ? {} : { labelSelector: `${labels.service}=${name}` }, signal),
    ),
    askMetrics(metrics, signal),
  ]);
  const applicationOf = byNamespace(applications, () => true);
  const workloadOf = byNamespace(deployments, ({ component }) => component === "workload");
  const databaseOf = byNamespace(statefulSets, ({ component }) => component === "database");
  const cacheOf = byNamespace(statefulSets, ({ component }) => component === "cache");
  const runOf = new Map<string, RunFacts>();
  for (const run of runs) if (isNewer(run, runOf.get(run.service))) runOf.set(run.service, run);
  const row = (namespace: NamespaceFacts, problem: string): Service =>
    rowOf({
      namespace,
      application: applicationOf.get(namespace.name),
      workload: workloadOf.get(namespace.name),
      database: databaseOf.get(namespace.name),
      cache: cacheOf.get(namespace.name),
      run: runOf.get(namespace.service),
      scraping,
      problem,
      complete: true,
    });
  const rows = namespaces.map((namespace) => row(namespace, "")).sort(byUrgency);
  const problems = await explain(cluster, rows, workloadOf, signal);
  if (problems.size === 0) return rows;
  return namespaces.map((namespace) => row(namespace, problems.get(namespace.name) ?? "")).sort(byUrgency);
}

/** Applications carry their service's labels only where the platform wrote them; their kind is enough. */
function withoutLabels({ labelSelector: _, ...options }: ListOptions): ListOptions {
  return options;
}

async function explain(
  cluster: Cluster,
  rows: readonly Service[],
  workloadOf: ReadonlyMap<string, WorkloadFacts>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const unready = rows.filter(({ namespace }) => {
    const pods = workloadOf.get(namespace)?.pods;
    return pods !== undefined && pods.ready < pods.wanted;
  });
  const limit = pLimit(4);
  const found = await Promise.all(
    unready
      .slice(0, explained)
      .map(({ namespace }) =>
        limit(async () => [namespace, await readProblem(cluster, namespace, signal)] as const),
      ),
  );
  return new Map(found.filter(([, problem]) => problem !== ""));
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
    const alerts = new Map<string, string[]>();
    for (const { namespace, alert } of firing)
      alerts.set(namespace, [...(alerts.get(namespace) ?? []), alert]);
    return { state: "answered", targets: group(targets), firing: alerts };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isClusterError(error)) throw error;
    return { state: "failed", reason: `nobody can be asked: ${error.message}` };
  }
}

function group(targets: readonly Target[]): ReadonlyMap<string, readonly Target[]> {
  const groups = new Map<string, Target[]>();
  for (const target of targets) {
    const known = groups.get(target.namespace);
    if (known === undefined) groups.set(target.namespace, [target]);
    else known.push(target);
  }
  return groups;
}

function workloads({ items }: KubeList): readonly WorkloadFacts[] {
  return items.map(workloadFacts);
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

function byNamespace<T extends { readonly namespace: string }>(
  items: readonly T[],
  wanted: (item: T) => boolean,
): ReadonlyMap<string, T> {
  return new Map(items.filter(wanted).map((item) => [item.namespace, item]));
}
