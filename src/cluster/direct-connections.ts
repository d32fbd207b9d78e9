import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { urlToHttpOptions } from "node:url";
import { type Answer, type Connections, connectMs, keepAliveMs, type Outgoing } from "./connections.ts";
import type { Endpoint } from "./endpoint.ts";
import { tlsOf } from "./tls.ts";

/** Milliseconds of silence after which TCP asks whether the other side lives. */
const probeMs = 60_000;

/** Node's own client: its parser is native and it resumes TLS sessions, which halves what a short command costs. */
export function directConnections(endpoint: Endpoint, most: number | null): Connections {
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
