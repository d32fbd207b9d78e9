import type { AccessQuestion, ListOptions, ObjectRef } from "./cluster.ts";
import { ClusterError } from "./errors.ts";
import { apiVersionOf, type Resource } from "./resource.ts";

/** One part of a URL path. A part that would change which path is meant is refused before it is sent. */
function segment(text: string, request: string): string {
  if (text === "" || text === "." || text === "..") {
    throw new ClusterError("invalid", `"${text}" is no name of an object`, { request });
  }
  return encodeURIComponent(text);
}

/** `deployments.apps`, as kubectl writes it, with the subresource when one is meant. */
export function resourceName(
  resource: Pick<Resource, "group" | "plural">,
  subresource?: string | undefined,
): string {
  const name = resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
  return subresource === undefined ? name : `${name}/${subresource}`;
}

/** What is asked, for errors and logs: `create deployments.apps app-demo/demo`. */
export function requestText(
  verb: string,
  resource: Pick<Resource, "group" | "plural">,
  ref: { readonly namespace?: string | undefined; readonly name?: string | undefined },
  subresource?: string,
): string {
  const what = `${verb} ${resourceName(resource, subresource)}`;
  if (ref.name === undefined) return ref.namespace === undefined ? what : `${what} in ${ref.namespace}`;
  return ref.namespace === undefined ? `${what} ${ref.name}` : `${what} ${ref.namespace}/${ref.name}`;
}

/** URL path of a group and version: `/api/v1` or `/apis/apps/v1`. */
export function groupPath(resource: Pick<Resource, "group" | "version">): string {
  return `${resource.group === "" ? "/api" : "/apis"}/${apiVersionOf(resource)}`;
}

/** URL path of a resource's collection; of all namespaces where none is given. */
export function collectionPath(resource: Resource, namespace: string | undefined, request: string): string {
  const base = groupPath(resource);
  return resource.namespaced && namespace !== undefined
    ? `${base}/namespaces/${segment(namespace, request)}/${resource.plural}`
    : `${base}/${resource.plural}`;
}

/** URL path of one object. */
export function objectPath(
  resource: Resource,
  ref: ObjectRef,
  subresource: string | undefined,
  request: string,
): string {
  const path = `${ownCollectionPath(resource, ref.namespace, request)}/${segment(ref.name, request)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** URL path of the collection an object is created in, which for a namespaced resource names a namespace. */
export function ownCollectionPath(
  resource: Resource,
  namespace: string | undefined,
  request: string,
): string {
  if (resource.namespaced && namespace === undefined) {
    throw new ClusterError("invalid", `${resource.kind} lives in a namespace, and none is given`, {
      request,
    });
  }
  return collectionPath(resource, namespace, request);
}

/** URL path through the API server's proxy to a service. `path` may carry a query. */
export function serviceProxyPath(
  target: {
    readonly namespace: string;
    readonly service: string;
    readonly port: number | string;
    readonly path: string;
  },
  request: string,
): string {
  const [path = "", ...query] = target.path.split("?");
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map((part) => segment(part, request));
  const search = query.length === 0 ? "" : `?${query.join("?")}`;
  const service = segment(`${target.service}:${target.port}`, request);
  return `/api/v1/namespaces/${segment(target.namespace, request)}/services/${service}/proxy/${parts.join("/")}${search}`;
}

/** Query of a list or watch. */
export function listQuery(options: ListOptions): Record<string, string> {
  const query: Record<string, string> = {};
  if (options.labelSelector !== undefined) query.labelSelector = options.labelSelector;
  if (options.fieldSelector !== undefined) query.fieldSelector = options.fieldSelector;
  if (options.limit !== undefined) query.limit = String(options.limit);
  if (options.continue !== undefined) query.continue = options.continue;
  // A continue token carries its own version; the server refuses both.
  else if (options.resourceVersion !== undefined) query.resourceVersion = options.resourceVersion;
  return query;
}

/** A question's text for errors: `may create deployments.apps in app-demo`. */
export function accessText(question: AccessQuestion): string {
  return requestText(
    `may ${question.verb}`,
    { group: question.group, plural: question.resource },
    { namespace: question.namespace, name: question.name },
    question.subresource,
  );
}
