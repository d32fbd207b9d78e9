import { secretNamesOf, secretsOfStore } from "../../application/credentials.ts";
import { desiredObjects, parts } from "../../application/desired-objects.ts";
import { applicationOf } from "../../application/from-request.ts";
import {
  databasesNamespace,
  labels,
  namespaceOf,
  providerAnnotation,
  serviceNameSchema,
  systemNamespace,
} from "../../application/names.ts";
import { teamBindingName } from "../../application/objects/team-access.ts";
import { applicationSpecSchema } from "../../application/schema.ts";
import { isInCloud, isInCluster, storeKinds } from "../../application/store-provider.ts";
import type { Cluster, ListOptions } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { everyPage } from "../../cluster/every-page.ts";
import type { KubeList, KubeObject } from "../../cluster/object.ts";
import { keyOf } from "../../cluster/reflector.ts";
import { apiVersionOf, type Resource, resources } from "../../cluster/resource.ts";
import type { CodeHost } from "../../delivery/code-host.ts";
import { externalSecretKinds } from "../../secrets/external-secrets.ts";
import type { Standards } from "../../standards/standards.ts";
import { objectEffect } from "../objects/objects.ts";
import { effectKey } from "../runs/effect.ts";
import type { RunState } from "../runs/run.ts";
import { readRunForList } from "../runs/run-record.ts";
import { platformKinds } from "../steps/service-objects.ts";
import {
  isAccountedFor,
  judge,
  pathOf,
  type SeenObject,
  type SeenRepository,
  serviceOf,
  serviceOfPath,
} from "./judge.ts";
import type { Sweep } from "./orphan.ts";

/** Services whose runs are asked for in one request. */
const servicesAtOnce = 50;

/** Every kind of which the platform makes objects. Secrets by metadata only: no value ever leaves the server. */
const swept: readonly Resource[] = [
  resources.namespaces,
  ...platformKinds,
  resources.persistentVolumeClaims,
  resources.volumeSnapshots,
  resources.volumeSnapshotContents,
  resources.postgresClusters,
  resources.leases,
];

export interface SweepSurroundings {
  readonly cluster: Cluster;
  readonly codeHost: CodeHost;
  readonly standards: Standards;
}

export interface SweepOptions {
  /** Left out: every service. */
  readonly service?: string;
  readonly signal?: AbortSignal;
}

/**
 * Finds what no run or service accounts for. Lists metadata of every kind the platform makes, by label; journals are
 * read only of services with something that their Application does not account for.
 * @throws ClusterError where namespaces, Applications or runs cannot be listed
 */
export async function findOrphans(
  { cluster, codeHost, standards }: SweepSurroundings,
  { service, signal }: SweepOptions = {},
): Promise<Sweep> {
  const ask = signal === undefined ? {} : { signal };
  const unseen: string[] = [];
  const labelSelector =
    service === undefined ? `${labels.managed}=true` : `${labels.managed}=true,${labels.service}=${service}`;
  const [objects, applications, runNames, made] = await Promise.all([
    Promise.all(swept.map((resource) => listed(cluster, resource, { labelSelector, ...ask }, unseen))),
    everyItem((page) => cluster.list(resources.applications, { ...ask, ...page })),
    everyItem((page) =>
      cluster.listMetadata(resources.runs, { namespace: systemNamespace, ...ask, ...page }),
    ),
    madeRepositories(codeHost, service, unseen, signal),
  ]);
  const seen = {
    objects: objects.flat().filter(isOurs),
    applications: new Map(applications.flatMap((application) => askedFor(application, standards))),
    sharing: new Set(applications.map(keyOf)),
    runNames: new Set(runNames.map(({ metadata }) => metadata.name)),
  };
  const doubtful = made.filter(({ path }) => !seen.applications.has(serviceOfPath(path)));
  const questions = new Set([
    ...seen.objects.filter((object) => !isAccountedFor(object, seen)).map(serviceOf),
    ...doubtful.map(({ path }) => serviceOfPath(path)),
  ]);
  const [runs, repositories] = await Promise.all([
    runsOfServices(cluster, [...questions].filter(isLabelValue), ask),
    Promise.all(doubtful.map((repository) => withCommits(codeHost, repository, signal))),
  ]);
  return { found: judge({ ...seen, repositories: repositories.flat(), runs }), unseen };
}

function isLabelValue(text: string): boolean {
  return /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(text);
}

/**
 * In the platform's own namespace only what belongs to single runs is swept, and no CRD or namespace of its own. Of
 * other managed namespaces only those that belong to one service: what several share, the operator keeps in order, but for
 * data stores outside of the cluster.
 */
function isOurs({ effect, metadata }: SeenObject): boolean {
  if (effect.type === "Lease") return effect.namespace === systemNamespace;
  const place = effect.type === "Namespace" ? effect.name : effect.namespace;
  if (place === systemNamespace) return effect.type !== "Namespace";
  // What else is there goes with its Cluster.
  if (place === databasesNamespace) return effect.type === resources.postgresClusters.kind;
  if (place === undefined || place.startsWith("app-")) return true;
  return metadata.annotations?.[providerAnnotation] !== undefined;
}

async function listed(
  cluster: Cluster,
  resource: Resource,
  options: ListOptions,
  unseen: string[],
): Promise<readonly SeenObject[]> {
  if (!(await cluster.serves(resource))) return [];
  try {
    const items = await everyItem((page) => cluster.listMetadata(resource, { ...options, ...page }));
    return items.map(({ metadata }) => ({
      effect: objectEffect({ apiVersion: apiVersionOf(resource), kind: resource.kind, metadata }),
      metadata,
    }));
  } catch (error) {
    if (isClusterError(error, "not-found")) return [];
    if (!isClusterError(error, "forbidden") || resource.kind === resources.namespaces.kind) throw error;
    unseen.push(`${resource.plural} (you may not list them in all namespaces)`);
    return [];
  }
}

/** The items of every page of a list. */
function everyItem(
  ask: (page: Pick<ListOptions, "limit" | "continue">) => Promise<KubeList>,
): Promise<readonly KubeObject[]> {
  return everyPage(ask, ({ items }) => items);
}

/** Keys of all that an Application asks for. One that cannot be read, or that is elsewhere, is accounted for by itself alone. */
function askedFor(
  { metadata, spec }: KubeObject,
  standards: Standards,
): readonly (readonly [string, Set<string>])[] {
  const service = serviceNameSchema.safeParse(metadata.name);
  if (!service.success || metadata.namespace !== namespaceOf(service.data)) return [];
  const parsed = applicationSpecSchema.safeParse(spec);
  const team = parsed.data?.team ?? "";
  if (!parsed.success) return [[service.data, new Set()]];
  const application = applicationOf(service.data, parsed.data);
  const known =
    standards.teams[team] === undefined
      ? { ...standards, teams: { ...standards.teams, [team]: { groups: ["nobody"] } } }
      : standards;
  const desired = desiredObjects(application, known, { guardrails: true });
  const objects = [
    application,
    ...parts.flatMap((part) => desired[part]),
    ...teamRolesBefore(desired.namespace),
    ...storeKinds
      .filter((store) => isInCluster(parsed.data, store))
      .flatMap((store) => secretsOfStore[store].map((secretOf) => secretOf(application, "")))
      .flatMap((secret) => externalSecretKinds.map((kind) => namedLike(secret, kind))),
  ];
  const { namespace } = application.metadata;
  const inNamespace = (type: string, name: string) =>
    effectKey({ kind: "object", apiVersion: "v1", type, namespace, name });
  const ofStores = storeKinds
    .filter((store) => parsed.data[store] !== undefined)
    .flatMap((store) => {
      const [read, ...more] = secretNamesOf(application, store);
      const secrets = [...(read === undefined ? [] : [read]), ...more].map((name) =>
        inNamespace("Secret", name),
      );
      // What says where one is that runs outside of the cluster has the name of what its pods read.
      return isInCloud(parsed.data, store) && read !== undefined
        ? [...secrets, inNamespace("ConfigMap", read)]
        : secrets;
    });
  return [
    [service.data, new Set([...objects.map((object) => effectKey(objectEffect(object))), ...ofStores])],
  ];
}

/** What may have made a Secret, by whatever standards were in force then. */
function namedLike({ metadata }: KubeObject, resource: Resource): KubeObject {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata };
}

/** Earlier versions gave a team its rights by a Role in each namespace, beside the binding of the same name. */
function teamRolesBefore(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects
    .filter(({ kind, metadata }) => kind === resources.roleBindings.kind && metadata.name === teamBindingName)
    .map((binding) => ({ ...binding, kind: resources.roles.kind }));
}

async function runsOfServices(
  cluster: Cluster,
  services: readonly string[],
  ask: { readonly signal?: AbortSignal },
): Promise<readonly RunState[]> {
  const groups = Array.from({ length: Math.ceil(services.length / servicesAtOnce) }, (_, index) =>
    services.slice(index * servicesAtOnce, (index + 1) * servicesAtOnce),
  );
  const lists = await Promise.all(
    groups.map((group) =>
      everyItem((page) =>
        cluster.list(resources.runs, {
          namespace: systemNamespace,
          labelSelector: `${labels.service} in (${group.join(",")})`,
          ...ask,
          ...page,
        }),
      ),
    ),
  );
  return lists
    .flat()
    .map((item) => readRunForList({ ...item, apiVersion: "platform.company.com/v1", kind: "Run" }))
    .sort((a, b) => (a.requestedAt < b.requestedAt ? 1 : a.requestedAt > b.requestedAt ? -1 : 0));
}

async function madeRepositories(
  codeHost: CodeHost,
  service: string | undefined,
  unseen: string[],
  signal: AbortSignal | undefined,
): Promise<readonly Omit<SeenRepository, "foreignCommits">[]> {
  if (codeHost.list === undefined) {
    unseen.push("repositories (Git alone cannot ask their host for a list)");
    return [];
  }
  return (await codeHost.list(signal))
    .map(({ url, run }) => ({ url, path: pathOf(url), run }))
    .filter(({ path }) => service === undefined || serviceOfPath(path) === service);
}

/** Nothing where it was deleted since it was listed. */
async function withCommits(
  codeHost: CodeHost,
  repository: Omit<SeenRepository, "foreignCommits">,
  signal: AbortSignal | undefined,
): Promise<readonly SeenRepository[]> {
  try {
    return [{ ...repository, foreignCommits: await codeHost.foreignCommits(repository.url, signal) }];
  } catch (error) {
    signal?.throwIfAborted();
    if (await codeHost.exists(repository.url, signal)) throw error;
    return [];
  }
}
