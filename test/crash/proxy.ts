import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as requestHttp,
  type ServerResponse,
} from "node:http";
import { request as requestHttps } from "node:https";
import { buffer } from "node:stream/consumers";
import { z } from "zod";
import { type ClusterWrite, WriteNames } from "./writes.ts";

/** An API server as the proxy reaches it. */
export interface Upstream {
  readonly url: string;
  readonly token: string | undefined;
  readonly socketPath?: string | undefined;
  /** For `https:`, in PEM: the authority, and what a client shows instead of a token. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** One request that wants to pass. */
export interface Passing {
  readonly method: string;
  /** With query. */
  readonly path: string;
  /** Names of the write it is, as {@link WriteNames} gives them; none for reads and Lease renewals. */
  readonly names: readonly string[];
  readonly write: ClusterWrite | undefined;
}

/** What becomes of a request. */
export type Fate =
  | "pass"
  /** The client dies, and the server never hears of it. */
  | "die-before"
  /** The server has done it, then the client dies without an answer. */
  | "die-after"
  /** The connection breaks before the server hears of it. */
  | "reset"
  /** The server is asked with credentials that it does not know any more. */
  | "revoked"
  /** Nobody answers, as long as the client waits. */
  | "silence"
  | { readonly status: number; readonly headers?: OutgoingHttpHeaders };

/** A proxy before an API server, for one client. */
export interface ApiProxy {
  readonly url: string;
  /** The client's writes so far: see {@link WriteNames.all}. */
  readonly writes: readonly (readonly string[])[];
  /** Calls back with each request that is no read, once the server has taken it. */
  onTaken(listener: (request: string) => void): void;
  /** Decides about each request from now on; default: all pass. */
  meet(decide: (passing: Passing) => Fate | Promise<Fate>): void;
  /** Ends all watches that are open. */
  cutWatches(): void;
  /** Resolves once the server has answered everything it was asked. */
  close(): Promise<void>;
}

/**
 * @param service - whose writes are named
 * @param kill - ends the client at once
 */
export async function openProxy(upstream: Upstream, service: string, kill: () => void): Promise<ApiProxy> {
  const names = new WriteNames(service);
  const watches = new Set<ServerResponse>();
  const forwarding = new Set<Promise<void>>();
  let decide: (passing: Passing) => Fate | Promise<Fate> = () => "pass";

  let taken: (request: string) => void = () => {};

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const { method = "GET", url: path = "/" } = request;
    const write = writeOf(method, path, body);
    const fate = await decide({
      method,
      path,
      write,
      names: write === undefined ? [] : names.ofCluster(write),
    });
    switch (fate) {
      case "pass":
      case "revoked":
        return forward(fate === "pass" ? upstream : revoked(upstream), request, body, (answer) => {
          if (write !== undefined && (answer.statusCode ?? 500) < 300) taken(`${method} ${path}`);
          // Whose client died meanwhile has nobody left to end it.
          if (response.destroyed) {
            answer.destroy();
            return;
          }
          if (/[?&]watch=(1|true)/.test(path)) {
            watches.add(response);
            response.once("close", () => watches.delete(response));
          }
          response.writeHead(answer.statusCode ?? 502, withoutLength(answer.headers));
          answer.pipe(response);
          // A client that is gone ends its watch.
          response.once("close", () => answer.destroy());
        });
      case "die-before":
        kill();
        return;
      case "die-after":
        await forward(upstream, request, body, (answer) => answer.resume());
        kill();
        return;
      case "reset":
        request.socket.destroy();
        return;
      case "silence":
        return;
      default:
        response.writeHead(fate.status, { "content-type": "application/json", ...fate.headers });
        response.end(JSON.stringify(statusObject(fate.status)));
    }
  }

  const server = createServer((request, response) => {
    const served: Promise<void> = serve(request, response)
      .catch(() => {
        response.destroy();
      })
      .finally(() => forwarding.delete(served));
    forwarding.add(served);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    get writes() {
      return names.all;
    },
    meet(next) {
      decide = next;
    },
    onTaken(listener) {
      taken = listener;
    },
    cutWatches() {
      for (const response of watches) response.destroy();
    },
    async close() {
      server.closeAllConnections();
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await Promise.all(forwarding);
      await closed;
    },
  };
}

/** A kubeconfig for an API server that asks for no credentials, as a proxy brings its own. JSON is YAML. */
export function kubeconfigFor(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "proxied",
    clusters: [{ name: "proxied", cluster: { server } }],
    users: [{ name: "proxied", user: {} }],
    contexts: [{ name: "proxied", context: { cluster: "proxied", user: "proxied" } }],
  });
}

/** The same server, asked by nobody it knows. */
function revoked({ url, socketPath, ca }: Upstream): Upstream {
  return { url, socketPath, ca, token: "revoked" };
}

/** Resolves when the server's answer has been read to its end, or is a stream that its client has left. */
function forward(
  { url, token, socketPath, ca, cert, key }: Upstream,
  { method, url: path, headers }: IncomingMessage,
  body: Buffer,
  pass: (answer: IncomingMessage) => void,
): Promise<void> {
  const target = new URL(path ?? "/", url);
  const { host: _, connection: __, "transfer-encoding": ___, ...rest } = headers;
  return new Promise((resolve, reject) => {
    const send = target.protocol === "https:" ? requestHttps : requestHttp;
    const outgoing = send(
      target,
      {
        method,
        headers: {
          ...rest,
          "content-length": body.length,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(socketPath === undefined ? {} : { socketPath }),
        ...(target.protocol === "https:" ? { ca, cert, key } : {}),
      },
      (answer) => {
        answer.once("close", resolve);
        answer.once("error", reject);
        pass(answer);
      },
    );
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

function withoutLength({ connection: _, "keep-alive": __, ...headers }: IncomingMessage["headers"]) {
  return headers;
}

const verbs: Readonly<Record<string, ClusterWrite["verb"] | undefined>> = {
  POST: "create",
  PUT: "replace",
  PATCH: "patch",
  DELETE: "delete",
};
const namedSchema = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });

/** The write that a request is; undefined for reads, questions about rights, and what only pretends to write. */
function writeOf(method: string, url: string, body: Buffer): ClusterWrite | undefined {
  const verb = verbs[method];
  const { pathname, searchParams } = new URL(url, "http://localhost");
  if (verb === undefined || searchParams.has("dryRun")) return undefined;
  const place =
    /^\/(?:api\/v1|apis\/[^/]+\/[^/]+)\/(?:namespaces\/(?<namespace>[^/]+)\/)?(?<plural>[^/]+)(?:\/(?<name>[^/]+))?/.exec(
      pathname,
    )?.groups;
  if (place?.plural === undefined || /reviews$/.test(place.plural)) return undefined;
  const { namespace, plural } = place;
  const json = /^[[{]/.test(body.toString("utf8", 0, 1)) ? JSON.parse(body.toString("utf8")) : undefined;
  const name = place.name ?? namedSchema.safeParse(json).data?.metadata.name ?? "";
  return { verb, plural, namespace, name, body: json };
}

const reasons: Readonly<Record<number, string>> = {
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
};

function statusObject(code: number) {
  return {
    apiVersion: "v1",
    kind: "Status",
    status: "Failure",
    reason: reasons[code] ?? "Unknown",
    message: `a test's answer: ${code}`,
    code,
  };
}
