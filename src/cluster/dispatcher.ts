import { createSecureContext } from "node:tls";
import type { Dispatcher } from "undici";
import request from "undici/lib/api/api-request.js";
import Pool from "undici/lib/dispatcher/pool.js";
import type { Endpoint } from "./endpoint.ts";

/** Makes a pool of at most so many connections; null: as many as there are requests. */
export type MakeDispatcher = (connections: number | null) => Dispatcher;

/** Where a server says nothing: below the API server's own idle limit, so that a kept connection is seldom found closed. */
const keepAliveMs = 25_000;

/** Connections to an endpoint, through its proxy where it has one. */
export async function dispatchers(endpoint: Endpoint): Promise<MakeDispatcher> {
  const { origin } = new URL(endpoint.url);
  const options = (connections: number | null) => ({
    connections,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    connectTimeout: 10_000,
    // HTTP/2 would send a run's parallel writes and all watches through one connection's flow control.
    allowH2: false,
    ...(endpoint.socketPath === undefined ? {} : { socketPath: endpoint.socketPath }),
  });
  const { proxy } = endpoint;
  if (proxy === undefined) {
    return (connections) => new Pool(origin, { ...options(connections), connect: tlsOf(endpoint) });
  }
  const { EnvHttpProxyAgent } = await import("./proxy-agent.ts");
  return (connections) => {
    const tls = tlsOf(endpoint);
    return new EnvHttpProxyAgent({
      ...options(connections),
      httpProxy: proxy.url,
      httpsProxy: proxy.url,
      noProxy: proxy.except,
      connect: tls,
      requestTls: tls,
    });
  };
}

/** Sends one request and resolves with its answer's head; the body is read from it. */
export function dispatch(
  dispatcher: Dispatcher,
  options: Dispatcher.RequestOptions,
): Promise<Dispatcher.ResponseData> {
  return request.call(dispatcher, options);
}

function tlsOf(endpoint: Endpoint) {
  const own = endpoint.credentials.clientCertificate?.();
  const { ca, insecure, serverName } = endpoint.tls;
  const cert = own?.cert ?? endpoint.tls.cert;
  const key = own?.key ?? endpoint.tls.key;
  return {
    // Made once, not for each connection: reading keys and certificates takes longer than a request.
    ...(endpoint.url.startsWith("https:") ? { secureContext: createSecureContext({ ca, cert, key }) } : {}),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(insecure ? { rejectUnauthorized: false } : {}),
    allowH2: false,
  };
}
