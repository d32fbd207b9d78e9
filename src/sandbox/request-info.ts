import type { ResourceInfo, Resources } from "./resources.ts";
import { failures } from "./status.ts";

/** What a URL under /api or /apis is about. */
export interface RequestInfo {
  readonly resource: ResourceInfo;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** The path after `…/proxy`, with its leading slash. */
  readonly rest: string;
}

/**
 * Reads `/api/v1/namespaces/NS/pods/NAME/log` and its kin.
 * @param segments the decoded parts of the path.
 * @throws ApiFailure 404 for a resource that is not served.
 */
export function requestInfo(resources: Resources, segments: readonly string[]): RequestInfo {
  const core = segments[0] === "api";
  const apiVersion = core ? (segments[1] ?? "") : `${segments[1] ?? ""}/${segments[2] ?? ""}`;
  let rest = segments.slice(core ? 2 : 3);
  let namespace: string | undefined;
  // `namespaces/NS/<resource>` is inside a namespace; `namespaces/NS` and its own subresources are about it.
  if (rest[0] === "namespaces" && rest.length > 2 && rest[2] !== "status" && rest[2] !== "finalize") {
    namespace = rest[1];
    rest = rest.slice(2);
  }
  const [plural = "", name, subresource, ...tail] = rest;
  const resource = resources.at(apiVersion, plural);
  if (resource === undefined) throw failures.noSuchPath();
  if (resource.namespaced !== (namespace !== undefined) && (namespace !== undefined || name !== undefined)) {
    throw failures.noSuchPath();
  }
  return { resource, namespace, name: name || undefined, subresource, rest: `/${tail.join("/")}` };
}
