import { labels, namespaceOf, type ServiceName } from "../../src/application/names.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { isClusterError } from "../../src/cluster/errors.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import type { Resource } from "../../src/cluster/resource.ts";

/** What controllers make and change by themselves, and comes again when its cause does. */
const derived = new Set([
  "Pod",
  "ReplicaSet",
  "ControllerRevision",
  "Endpoints",
  "EndpointSlice",
  "Event",
  "PodMetrics",
]);

/**
 * Everything of a service, as a person set it: what the server and controllers write (UIDs, versions, times, status)
 * left out, so that two pictures are equal where the service is the same.
 */
export async function picture(
  cluster: Cluster,
  service: ServiceName,
): Promise<Readonly<Record<string, unknown>>> {
  const namespace = namespaceOf(service);
  const found = await Promise.all(
    (await cluster.discover())
      .filter(({ namespaced, kind }) => namespaced && !derived.has(kind))
      .map((resource) => objectsOf(cluster, resource, namespace)),
  );
  const namespaces = await objectsOf(
    cluster,
    { group: "", version: "v1", plural: "namespaces", kind: "Namespace", namespaced: false },
    undefined,
  );
  const own = namespaces.filter(({ metadata }) => metadata.name === namespace);
  return Object.fromEntries(
    [...own, ...found.flat()].map((object) => [keyOf(object), content(object)]).sort(),
  );
}

async function objectsOf(
  cluster: Cluster,
  resource: Resource,
  namespace: string | undefined,
): Promise<readonly KubeObject[]> {
  try {
    const { items } = await cluster.list(resource, namespace === undefined ? {} : { namespace });
    return items.map((item) => ({ ...item, kind: resource.kind }));
  } catch (error) {
    if (isClusterError(error, "not-found")) return [];
    throw error;
  }
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}

function content({ apiVersion: _, status: __, metadata, ...rest }: KubeObject): unknown {
  const { labels: all, annotations = {}, ownerReferences = [], finalizers } = metadata;
  const { [labels.run]: ___, ...kept } = all ?? {};
  const { "deployment.kubernetes.io/revision": ____, ...noted } = annotations;
  return {
    ...withoutAddresses(rest),
    labels: kept,
    annotations: noted,
    finalizers,
    owners: ownerReferences.map(({ kind, name }) => `${kind}/${name}`),
  };
}

/** Addresses are given by the server to each Service anew. */
function withoutAddresses(rest: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { spec } = rest;
  if (typeof spec !== "object" || spec === null) return rest;
  const hidden = new Set(["clusterIP", "clusterIPs"]);
  return { ...rest, spec: Object.fromEntries(Object.entries(spec).filter(([key]) => !hidden.has(key))) };
}
