import { once } from "node:events";
import { createMetrics } from "./metrics.js";
import { createRoutes } from "./routes.js";
import { createMetricsServer, createServer } from "./server.js";
import { startTracing } from "./tracing.js";

const stopTracing = startTracing();
const metrics = createMetrics();
const servers = [
  createServer(createRoutes(), metrics).listen(Number(process.env.PORT ?? 8080)),
  createMetricsServer(metrics).listen(Number(process.env.METRICS_PORT ?? 9090)),
];
await Promise.all(servers.map((server) => once(server, "listening")));
console.log(JSON.stringify({ message: "listening", addresses: servers.map((server) => server.address()) }));

// Requests in flight finish; the platform waits 30 seconds before it kills a pod.
await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
await Promise.all(
  servers.map((server) => {
    server.close();
    server.closeIdleConnections();
    return once(server, "close");
  }),
);
await stopTracing();
