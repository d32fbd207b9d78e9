import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { urlToHttpOptions } from "node:url";
import type { Endpoint } from "./endpoint.ts";
import { tlsOf } from "./tls.ts";

/** One request as it goes over the wire. */
export interface Outgoing {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
  /** Aborted: the request, and the body that is still read, fail with its reason. */
  readonly signal: AbortSignal;
  /** Milliseconds until the answer begins; 0: as long as it takes. */
  readonly headMs: number;
  /** Milliseconds the body may be silent; 0: for ever. */
  readonly idleMs: number;
}

/** The head of an answer; the body is read from it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

/** Kept-alive connections to one server. */
export interface Connections {
  send(request: Outgoing): Promise<Answer>;
  /** Lets what is under way end, and keeps no connection after it. */
  retire(): void;
  /** Cuts everything off. */
  destroy(): void;
}

/** Makes connections, at most so many; null: as many as there are requests. */
export type MakeConnections = (most: number | null) => Connections;

/** Where a server says nothing: below the API server's own idle limit, so that a kept connection is seldom found closed. */
export const keepAliveMs = 25_000;
/** Milliseconds a connection may take to be made. */
export const connectMs = 10_000;
/** Milliseconds of silence after which TCP asks whether the other side lives. */
const probeMs = 60_000;

/** Connections to an endpoint, through its proxy where it has one. */
export async function connectionsTo(endpoint: Endpoint): Promise<MakeConnections> {
  const { proxy } = endpoint;
  if (proxy === undefined) return (most) => ownConnections(endpoint, most);
  const { proxiedConnections } = await import("./proxied-connections.ts");
  return (most) => proxiedConnections(endpoint, proxy, most);
}

/** Node's own client: its parser is native and it resumes TLS sessions, which halves what a short command costs. */
function ownConnections(endpoint: Endpoint, most: number | null): Connections {
  const { protocol, hostname, port } = urlToHttpOptions(new URL(endpoint.url));
  const secure = protocol === "https:";
  const options = {
    keepAlive: true,
    keepAliveMsecs: probeMs,
    maxSockets: most ?? Number.POSITIVE_INFINITY,
    timeout: keepAliveMs,
  };
  const agent = secure ? new HttpsAgent({ ...options, ...tlsOf(endpoint) }) : new HttpAgent(options);
  const where = {
    agent,
    hostname,
    port,
    ...(endpoint.socketPath === undefined ? {} : { socketPath: endpoint.socketPath }),
  };

  function send({ method, path, headers, body, signal, headMs, idleMs }: Outgoing): Promise<Answer> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
      const request = (secure ? httpsRequest : httpRequest)({
        ...where,
        method,
        path,
        headers: { ...headers, ...length },
      });
      let answer: IncomingMessage | undefined;
      const cut = (error: Error) => {
        answer?.destroy(error);
        request.destroy(error);
      };
      const abort = () => {
        reject(signal.reason);
        cut(signal.reason instanceof Error ? signal.reason : new Error("aborted", { cause: signal.reason }));
      };
      const within = (ms: number, words: string) => setTimeout(() => cut(new Error(words)), ms);
      const head = headMs === 0 ? undefined : within(headMs, "no answer in time");
      let connecting: NodeJS.Timeout | undefined;
      signal.addEventListener("abort", abort, { once: true });
      request.once("socket", (socket) => {
        if (!socket.connecting) return;
        connecting = within(connectMs, "no connection in time");
        socket.once(secure ? "secureConnect" : "connect", () => clearTimeout(connecting));
      });
      request.once("response", (response) => {
        answer = response;
        clearTimeout(head);
        if (idleMs > 0) response.setTimeout(idleMs, () => cut(new Error("the answer stopped half-way")));
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response });
      });
      request.on("error", reject);
      request.once("close", () => {
        clearTimeout(head);
        clearTimeout(connecting);
        signal.removeEventListener("abort", abort);
      });
      request.end(body);
    });
  }

  return {
    send,
    retire() {
      for (const sockets of Object.values(agent.freeSockets)) {
        for (const socket of sockets ?? []) socket.destroy();
      }
    },
    destroy: () => agent.destroy(),
  };
}
