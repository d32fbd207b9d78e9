// For those who have a proxy only: undici is loaded for nobody else.
import { EnvHttpProxyAgent } from "undici";
import { type Connections, connectMs, keepAliveMs } from "./connections.ts";
import type { Endpoint } from "./endpoint.ts";
import { tlsOf } from "./tls.ts";

/** Connections through a proxy, except to the hosts it is not for. */
export function proxiedConnections(
  endpoint: Endpoint,
  proxy: NonNullable<Endpoint["proxy"]>,
  most: number | null,
): Connections {
  const { origin } = new URL(endpoint.url);
  const tls = { ...tlsOf(endpoint), allowH2: false };
  const agent = new EnvHttpProxyAgent({
    connections: most,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    connectTimeout: connectMs,
    // HTTP/2 would send a run's parallel writes and all watches through one connection's flow control.
    allowH2: false,
    httpProxy: proxy.url,
    httpsProxy: proxy.url,
    noProxy: proxy.except,
    connect: tls,
    requestTls: tls,
  });
  return {
    async send({ method, path, headers, body, signal, headMs, idleMs }) {
      const answer = await agent.request({
        origin,
        method,
        path,
        headers,
        signal,
        headersTimeout: headMs,
        bodyTimeout: idleMs,
        ...(body === undefined ? {} : { body }),
      });
      return { status: answer.statusCode, headers: answer.headers, body: answer.body };
    },
    retire: () => void agent.close(),
    destroy: () => void agent.destroy(),
  };
}
