import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server } from "node:http";
import { test } from "node:test";
import { createMetrics } from "./metrics.js";
import { createRoutes } from "./routes.js";
import { createMetricsServer, createServer } from "./server.js";

async function get(server: Server, path: string): Promise<{ status: number; text: string }> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert(address !== null && typeof address === "object");
  try {
    const response = await fetch(`http://127.0.0.1:${address.port}${path}`);
    return { status: response.status, text: await response.text() };
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
}

test("answers health checks", async () => {
  const { status, text } = await get(createServer(createRoutes(), createMetrics()), "/healthz");
  assert.equal(status, 200);
  assert.match(text, /ok/);
});

test("answers unknown paths with 404", async () => {
  assert.equal((await get(createServer(createRoutes(), createMetrics()), "/nothing-here")).status, 404);
});

test("answers a failing handler with 500", async () => {
  const routes = new Map([["GET /", () => Promise.reject(new Error("no"))]]);
  assert.equal((await get(createServer(routes, createMetrics()), "/")).status, 500);
});

test("counts and times requests", async () => {
  const metrics = createMetrics();
  await get(createServer(createRoutes(), metrics), "/");
  const { text } = await get(createMetricsServer(metrics), "/metrics");
  assert.match(text, /http_requests_total\{method="get",code="200"\} 1/);
  assert.match(text, /http_request_duration_seconds_bucket/);
});
