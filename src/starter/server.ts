import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { StarterMetrics } from "./metrics.ts";

/** Where a starter listens. Port 0: any free one. */
export interface StarterOptions {
  readonly host: string;
  readonly port: number;
  readonly metricsPort: number;
  /** The service it stands in for; shown to whoever calls it. */
  readonly service: string;
  /** Milliseconds that only grow. */
  readonly now: () => number;
}

/** A starter that listens. */
export interface Starter {
  readonly port: number;
  readonly metricsPort: number;
  /** Takes no more requests and lets those in flight finish. */
  close(): Promise<void>;
}

/**
 * What a new service runs until its pipeline has pushed an image: it answers `/healthz`, says on `/` what it is, and
 * serves `/metrics` on a port of its own, under the names that the platform's alerts and dashboard use.
 * @throws Error with `code` where a port cannot be listened on; nothing listens then
 */
export async function startStarter(options: StarterOptions): Promise<Starter> {
  const { host, service, now } = options;
  const metrics = new StarterMetrics();
  const requests = await listen(host, options.port, (request, response) => {
    const started = now();
    response.once("close", () => {
      metrics.observe(request.method ?? "", response.statusCode, (now() - started) / 1000);
    });
    const answer = answers(service).get(request.url?.split("?")[0] ?? "");
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(`${JSON.stringify(answer ?? { error: "not found" })}\n`);
  });
  try {
    const scrapes = await listen(host, options.metricsPort, (request, response) => {
      const found = request.url === "/metrics";
      response.writeHead(found ? 200 : 404, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
      response.end(found ? metrics.text() : "not found\n");
    });
    return {
      port: portOf(requests),
      metricsPort: portOf(scrapes),
      close: async () => {
        await Promise.all([stop(requests), stop(scrapes)]);
      },
    };
  } catch (error) {
    await stop(requests);
    throw error;
  }
}

function answers(service: string): ReadonlyMap<string, unknown> {
  const message =
    "This is the platform's starter. It is replaced as soon as the service's pipeline has pushed an image.";
  return new Map<string, unknown>([
    ["/healthz", { status: "ok" }],
    ["/", { service, starter: true, message }],
  ]);
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
  server.closeIdleConnections();
  await closed;
}
