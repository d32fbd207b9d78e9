import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Metrics } from "./metrics.js";
import type { Answer, Handler } from "./routes.js";

/** Serves the routes; each request is counted and timed, and traced unless a probe sent it. */
export function createServer(routes: ReadonlyMap<string, Handler>, metrics: Metrics): Server {
  return http.createServer(async (request, response) => {
    const started = performance.now();
    response.once("close", () => {
      metrics.observe(request.method ?? "", response.statusCode, (performance.now() - started) / 1000);
    });
    const { status, body } = await traced(request, () => answer(routes, request));
    send(response, status, "application/json", `${JSON.stringify(body)}\n`);
  });
}

/** Serves /metrics, on a port of its own so that no route leads to it. */
export function createMetricsServer({ registry }: Metrics): Server {
  return http.createServer(async (request, response) => {
    if (request.url !== "/metrics") return send(response, 404, "text/plain", "not found\n");
    send(response, 200, registry.contentType, await registry.metrics());
  });
}

async function answer(routes: ReadonlyMap<string, Handler>, request: IncomingMessage): Promise<Answer> {
  const method = request.method ?? "GET";
  try {
    const url = new URL(request.url ?? "/", "http://localhost");
    const handler = routes.get(`${method} ${url.pathname}`);
    return handler === undefined
      ? { status: 404, body: { error: "not found" } }
      : await handler({ url, method });
  } catch (error) {
    console.error(JSON.stringify({ message: "request failed", error: String(error) }));
    return { status: 500, body: { error: "internal error" } };
  }
}

async function traced(request: IncomingMessage, work: () => Promise<Answer>): Promise<Answer> {
  if (request.url === "/healthz") return work();
  const parent = propagation.extract(context.active(), request.headers);
  const options = {
    kind: SpanKind.SERVER,
    attributes: { "http.request.method": request.method ?? "", "url.path": request.url?.split("?")[0] ?? "" },
  };
  const tracer = trace.getTracer("example-service");
  return tracer.startActiveSpan(request.method ?? "request", options, parent, async (span) => {
    const result = await work();
    span.setAttribute("http.response.status_code", result.status);
    if (result.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
    return result;
  });
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { "content-type": contentType }).end(body);
}
