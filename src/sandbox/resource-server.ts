import type { IncomingMessage, ServerResponse } from "node:http";
import type { StoredObject } from "./api.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { evict } from "./eviction.ts";
import type { Faults } from "./faults.ts";
import { addWarning, sendJson, sendText } from "./http-answer.ts";
import { bodyOf, deleteOptions, mediaType, parsedBody, writeContext } from "./http-request.ts";
import { listText } from "./list.ts";
import { sendLog } from "./log-stream.ts";
import type { PatchBody, Registry } from "./registry.ts";
import { type Form, formOf, rendered } from "./rendering.ts";
import type { RequestInfo } from "./request-info.ts";
import { scaleOf } from "./scale.ts";
import { selectionOf } from "./selection.ts";
import { cause, failures } from "./status.ts";
import { startWatch } from "./watch.ts";

/** What the handlers of resource requests work with. */
export interface ResourceServerOptions {
  readonly registry: Registry;
  readonly feed: ChangeFeed;
  readonly faults: Faults;
}

/** One HTTP request for a resource. */
export interface ResourceRequest extends RequestInfo {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** RBAC's verb. */
  readonly verb: string;
}

/** RBAC's verb for a request. */
export function verbOf(method: string, name: string | undefined, query: URLSearchParams): string {
  const watch = query.get("watch");
  switch (method) {
    case "GET":
      if (watch === "true" || watch === "1") return "watch";
      return name === undefined ? "list" : "get";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return name === undefined ? "deletecollection" : "delete";
    default:
      return method.toLowerCase();
  }
}

/** Serves one request for a resource. @throws ApiFailure. */
export async function serveResource(options: ResourceServerOptions, asked: ResourceRequest): Promise<void> {
  const { registry } = options;
  const { resource, namespace, name, subresource, verb, request, response, query } = asked;
  if (subresource !== undefined && !resource.subresources.includes(subresource)) throw failures.noSuchPath();
  if (subresource === "eviction") {
    if (verb !== "create" || name === undefined) throw failures.methodNotAllowed();
    evict(registry, namespace ?? "", name, parsedBody(await bodyOf(request), mediaType(request)));
    return sendJson(response, 201, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      code: 201,
    });
  }
  const form = formOf(request.headers.accept);
  const now = () => registry.now();
  const answer = (status: number, object: StoredObject) => {
    const shown =
      subresource === "scale"
        ? JSON.stringify(scaleOf(resource, object))
        : rendered(form, resource, object, query, now());
    sendText(response, status, shown);
  };
  switch (verb) {
    case "get": {
      const object = registry.require(resource, namespace, name ?? "");
      if (subresource === "log") {
        return sendLog(response, () => registry.get(resource, namespace, name ?? ""), query, now);
      }
      return answer(200, object);
    }
    case "list": {
      const selection = selectionOf(resource, namespace, query);
      return sendText(
        response,
        200,
        listText(registry.store, resource, { form, selection, query, now: now() }),
      );
    }
    case "watch":
      return serveWatch(options, asked, form);
    default:
      return write(asked, registry, answer);
  }
}

async function write(
  asked: ResourceRequest,
  registry: Registry,
  answer: (status: number, object: StoredObject) => void,
): Promise<void> {
  const { resource, namespace, name, subresource, verb, request, response, query } = asked;
  const context = writeContext(request, query, (text) => addWarning(response, text));
  const body = await bodyOf(request);
  const type = mediaType(request);
  if (
    subresource !== undefined &&
    subresource !== "status" &&
    subresource !== "scale" &&
    subresource !== "finalize"
  ) {
    throw failures.methodNotAllowed();
  }
  switch (verb) {
    case "create":
      if (name !== undefined || (resource.namespaced && namespace === undefined))
        throw failures.methodNotAllowed();
      return answer(201, registry.create(resource, namespace, parsedBody(body, type), context));
    case "update":
      if (name === undefined) throw failures.methodNotAllowed();
      return answer(
        200,
        registry.update(resource, namespace, name, parsedBody(body, type), context, subresource),
      );
    case "patch": {
      if (name === undefined) throw failures.methodNotAllowed();
      const patch = patchBody(type, body, query);
      const { object, created } = registry.patch(resource, namespace, name, patch, context, subresource);
      return answer(created ? 201 : 200, object);
    }
    case "delete": {
      const options = deleteOptions(body.length === 0 ? {} : parsedBody(body, type), query);
      const deleting = { ...context, dryRun: context.dryRun || options.dryRun };
      const { object, gone } = registry.delete(resource, namespace, name ?? "", options, deleting);
      return gone && !resource.id.startsWith("/pods")
        ? sendJson(response, 200, {
            kind: "Status",
            apiVersion: "v1",
            metadata: {},
            status: "Success",
            details: {
              name: object.metadata.name,
              ...(resource.group === "" ? {} : { group: resource.group }),
              kind: resource.plural,
              uid: object.metadata.uid,
            },
          })
        : answer(200, object);
    }
    case "deletecollection":
      return deleteCollection(asked, registry, body, type);
    default:
      throw failures.methodNotAllowed();
  }
}

function patchBody(type: string, body: Buffer, query: URLSearchParams): PatchBody {
  switch (type) {
    case "application/merge-patch+json":
      return { type: "merge", body: parsedBody(body, "application/json") };
    case "application/json-patch+json":
      return { type: "json", body: parsedBody(body, "application/json") };
    case "application/apply-patch+yaml":
    case "application/apply-patch":
      if (!query.get("fieldManager")) {
        throw failures.invalid("meta.k8s.io", "PatchOptions", "", [
          cause.required("fieldManager", "is required for apply patch"),
        ]);
      }
      return {
        type: "apply",
        body: parsedBody(body, "application/yaml"),
        force: query.get("force") === "true",
      };
    default:
      throw failures.unsupportedMediaType(
        type === "application/strategic-merge-patch+json"
          ? "the sandbox does not know strategic merge patches: use server-side apply (kubectl apply --server-side), --type=merge or --type=json"
          : "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
      );
  }
}

function deleteCollection(asked: ResourceRequest, registry: Registry, body: Buffer, type: string): void {
  const { resource, namespace, query, request, response } = asked;
  const options = deleteOptions(body.length === 0 ? {} : parsedBody(body, type), query);
  const selection = selectionOf(resource, namespace, query);
  const text = listText(registry.store, resource, { form: "object", selection, query, now: registry.now() });
  const list: { items: StoredObject[] } = JSON.parse(text);
  const context = writeContext(request, query, () => {});
  const { uid: _, resourceVersion: __, ...collective } = options;
  for (const { metadata } of list.items) {
    registry.delete(resource, metadata.namespace, metadata.name, collective, {
      ...context,
      dryRun: context.dryRun || options.dryRun,
    });
  }
  sendText(response, 200, text);
}

/** How often an open watch looks whether a fault cuts it. */
const faultMs = 100;

function serveWatch(
  { registry, feed, faults }: ResourceServerOptions,
  asked: ResourceRequest,
  form: Form,
): void {
  const { resource, namespace, name, query, request, response } = asked;
  const selection = selectionOf(resource, namespace, query, name);
  const about = { verb: "watch", group: resource.group, resource: resource.plural, namespace, name };
  const mark = faults.mark();
  response.writeHead(200, {
    "Content-Type": "application/json;stream=watch",
    "Cache-Control": "no-cache, private",
  });
  response.flushHeaders();
  const stop = startWatch(registry.store, feed, {
    resource,
    selection,
    form,
    query,
    now: () => registry.now(),
    send: (line) => {
      // A client that reads nothing must not fill our memory.
      if (response.writableLength > 64 * 1024 * 1024) response.destroy();
      else response.write(line);
    },
    end: () => response.end(),
  });
  const checking = setInterval(() => {
    if (faults.cutsWatch(about, mark)) request.socket.destroy();
  }, faultMs);
  response.on("close", () => {
    clearInterval(checking);
    stop();
  });
}
