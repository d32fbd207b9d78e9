import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { review } from "./access.ts";
import type { Api } from "./api.ts";
import type { Certificate } from "./certificate.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { discovery, serverVersion } from "./discovery.ts";
import { type Faults, handleFaults } from "./faults.ts";
import { sendFailure, sendJson, sendText } from "./http-answer.ts";
import { bodyOf, mediaType, parsedBody } from "./http-request.ts";
import type { JsonObject } from "./json.ts";
import { openApiDocument, openApiIndex, openApiV2 } from "./openapi.ts";
import type { Registry } from "./registry.ts";
import { requestInfo } from "./request-info.ts";
import { serveResource, verbOf } from "./resource-server.ts";
import type { Resources } from "./resources.ts";
import { handleProxy } from "./simulated-prometheus.ts";
import { ApiFailure, failures } from "./status.ts";

/** What an API server is made of. */
export interface ApiServerOptions {
  readonly registry: Registry;
  readonly feed: ChangeFeed;
  readonly faults: Faults;
  readonly api: Api;
  readonly token: string;
  readonly speed: number;
}

/** The HTTP face: authentication, faults, then whatever the path is about. With a certificate it speaks TLS. */
export function createApiServer(options: ApiServerOptions, certificate?: Certificate): Server {
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    response.on("error", () => {});
    serve(options, request, response).catch((error: unknown) => sendFailure(response, error));
  };
  const settings = { keepAliveTimeout: 60_000, requestTimeout: 0 };
  const server =
    certificate === undefined
      ? createServer(settings, listener)
      : createTlsServer({ ...settings, key: certificate.key, cert: certificate.certificate }, listener);
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

function isAuthorized(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function serve(
  options: ApiServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isAuthorized(request.headers.authorization, options.token)) throw failures.unauthorized();
  const { pathname, searchParams: query } = new URL(request.url ?? "/", "http://sandbox");
  const method = request.method ?? "GET";
  if (pathname.startsWith("/sandbox/faults")) {
    const body = method === "POST" ? parsedBody(await bodyOf(request), "application/json") : undefined;
    const answer = handleFaults(options.faults, { method, path: pathname, body });
    return sendJson(response, answer.status, answer.body);
  }
  // What other processes have committed counts from now on.
  options.feed.refresh();
  const segments = pathname.split("/").filter(Boolean).map(decodeURIComponent);
  const isResource =
    segments.length > (segments[0] === "api" ? 2 : 3) && ["api", "apis"].includes(segments[0] ?? "");
  if (isResource) return serveResourcePath(options, request, response, segments, query);
  const { delayMs, outcome } = options.faults.match({ verb: "get", group: "", resource: "" });
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  if (outcome.action === "reset") {
    request.socket.destroy();
    return;
  }
  servePage(options, request, response, segments);
}

function servePage(
  { registry }: ApiServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  segments: readonly string[],
): void {
  if (["healthz", "livez", "readyz"].includes(segments[0] ?? "")) {
    response.writeHead(200, { "Content-Type": "text/plain" }).end("ok");
    return;
  }
  const accept = request.headers.accept ?? "";
  const aggregated = accept.includes("as=APIGroupDiscoveryList") && accept.includes("v=v2");
  const found = page(registry.resources, segments, aggregated);
  if (found.kind === "APIGroupDiscoveryList") {
    const type = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    response.writeHead(200, { "Content-Type": type }).end(JSON.stringify(found));
  } else sendJson(response, 200, found);
}

/** Documents about the server itself. */
function page(resources: Resources, segments: readonly string[], aggregated: boolean): JsonObject {
  switch (segments[0]) {
    case "version":
      return serverVersion;
    case "api":
    case "apis":
      return discovery(resources, segments, aggregated);
    case "openapi":
      if (segments[1] === "v2") return openApiV2(resources);
      return segments.length === 2 ? openApiIndex(resources) : openApiDocument(resources, segments.slice(2));
    case undefined:
      return { paths: ["/api", "/apis", "/healthz", "/openapi/v3", "/version"] };
    default:
      throw failures.noSuchPath();
  }
}

async function serveResourcePath(
  options: ApiServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  segments: readonly string[],
  query: URLSearchParams,
): Promise<void> {
  const { registry, faults } = options;
  const method = request.method ?? "GET";
  const question = reviewed(segments);
  const info = question === undefined ? requestInfo(registry.resources, segments) : undefined;
  const verb = verbOf(method, info?.name, query);
  const step = request.headers["x-platform-step"];
  const about = {
    verb,
    group: info?.resource.group ?? segments[1] ?? "",
    resource: info?.resource.plural ?? question ?? "",
    subresource: info?.subresource,
    namespace: info?.namespace,
    name: info?.name,
    step: typeof step === "string" ? step : undefined,
  };
  const { delayMs, outcome } = faults.match(about);
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  if (outcome.action === "reset") {
    request.socket.destroy();
    return;
  }
  if (outcome.action === "refuse") throw new ApiFailure(outcome.status, outcome.reason, outcome.message);
  if (outcome.action === "half-apply") loseAnswer(request, response, outcome.answer);
  if (info === undefined) {
    if (method !== "POST") throw failures.methodNotAllowed();
    return sendJson(
      response,
      201,
      review(
        faults,
        question ?? "",
        parsedBody(await bodyOf(request), mediaType(request)),
        [request.headers["impersonate-user"]].flat()[0],
      ),
    );
  }
  if (info.subresource === "proxy") return serveProxy(options, info, query, response);
  return serveResource(options, { ...info, verb, request, response, query });
}

/** The plural of a review that answers without storing. */
function reviewed(segments: readonly string[]): string | undefined {
  const [, group, , plural] = segments;
  const reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"];
  const isReview = group === "authorization.k8s.io" || group === "authentication.k8s.io";
  return isReview && plural !== undefined && reviews.includes(plural) ? plural : undefined;
}

/** The write is carried out, but its answer never arrives. */
function loseAnswer(request: IncomingMessage, response: ServerResponse, how: "reset" | "error"): void {
  const end = response.end.bind(response);
  const lost = (): ServerResponse => {
    if (how === "reset") request.socket.destroy();
    else end(JSON.stringify(failures.internal("an injected fault lost the answer").toStatus()));
    return response;
  };
  const writeHead = response.writeHead.bind(response);
  response.writeHead = (): ServerResponse =>
    how === "reset" ? response : writeHead(500, { "Content-Type": "application/json" });
  response.end = lost;
}

function serveProxy(
  { api, registry, speed }: ApiServerOptions,
  info: { readonly namespace: string | undefined; readonly name: string | undefined; readonly rest: string },
  query: URLSearchParams,
  response: ServerResponse,
): void {
  // `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`.
  const parts = (info.name ?? "").split(":");
  const [service = "", port = ""] = parts.length === 3 ? parts.slice(1) : parts;
  const request = { namespace: info.namespace ?? "", service, port, path: info.rest, query };
  const { status, body } = handleProxy({ api, now: registry.now(), speed }, request);
  if (typeof body === "string") response.writeHead(status, { "Content-Type": "text/plain" }).end(body);
  else sendText(response, status, JSON.stringify(body));
}
