import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { OperatorMetrics } from "./metrics.ts";
import type { Health } from "./operator.ts";

/** Where an operator can be asked how it is. Port 0: any free one. */
export interface HealthOptions {
  readonly host: string;
  readonly healthPort: number;
  readonly metricsPort: number;
  readonly health: () => Health;
  readonly metrics: Pick<OperatorMetrics, "text" | "contentType">;
}

/** Ports that are listened on. */
export interface HealthServers {
  readonly healthPort: number;
  readonly metricsPort: number;
  close(): Promise<void>;
}

/**
 * Serves `/healthz` and `/readyz` on one port, `/metrics` on another. Nothing there can be changed, and nothing there
 * is secret.
 * @throws Error with `syscall` `listen` where a port cannot be listened on; nothing listens then
 */
export async function serveHealth(options: HealthOptions): Promise<HealthServers> {
  const { host, health, metrics } = options;
  const healths = await listen(host, options.healthPort, (request, response) => {
    const { live, ready, facts } = health();
    const good = { "/healthz": live, "/readyz": live && ready }[request.url?.split("?")[0] ?? ""];
    response.writeHead(good === undefined ? 404 : good ? 200 : 503, { "content-type": "text/plain" });
    response.end(good === undefined ? "not found\n" : `${facts.join("\n")}\n${good ? "ok" : "not ok"}\n`);
  });
  try {
    const scrapes = await listen(host, options.metricsPort, (request, response) => {
      if (request.url?.split("?")[0] !== "/metrics") {
        response.writeHead(404, { "content-type": "text/plain" });
        response.end("not found\n");
        return;
      }
      metrics.text().then(
        (text) => {
          response.writeHead(200, { "content-type": metrics.contentType });
          response.end(text);
        },
        () => response.writeHead(500).end(),
      );
    });
    return {
      healthPort: portOf(healths),
      metricsPort: portOf(scrapes),
      close: async () => {
        await Promise.all([stop(healths), stop(scrapes)]);
      },
    };
  } catch (error) {
    await stop(healths);
    throw error;
  }
}

async function listen(host: string, port: number, listener: RequestListener): Promise<Server> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, listener);
  server.listen(port, host);
  await once(server, "listening");
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
