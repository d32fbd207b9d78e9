import { chmodSync } from "node:fs";
import type { Server } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import { createApiServer } from "./api-server.ts";
import { selfSignedCertificate } from "./certificate.ts";
import { ChangeFeed } from "./change-feed.ts";
import { startControllers } from "./controllers/index.ts";
import { Faults } from "./faults.ts";
import { startGarbageCollector } from "./garbage-collection.ts";
import { localApi } from "./local-api.ts";
import { startNamespaceController } from "./namespaces.ts";
import { Registry } from "./registry.ts";
import { Resources } from "./resources.ts";
import { seedOnce } from "./seed.ts";
import { newHolder, Store } from "./store.ts";
import { type ToParent, workerOptions } from "./worker-messages.ts";

/** How long a leader that stopped renewing (but whose process lives) keeps the controllers. */
const leaseMs = 3000;
const compactMs = 60_000;

async function run(): Promise<void> {
  const options = workerOptions.parse(workerData);
  const store = new Store(options.folder);
  const resources = new Resources();
  const feed = new ChangeFeed(store, resources);
  const registry = new Registry({ store, resources, now: () => new Date(), committed: () => feed.poke() });
  const faults = new Faults(store.database, () => Date.now());
  const holder = newHolder();
  const leads = () => store.lead(holder, leaseMs);
  const api = localApi(registry, feed, leads);
  seedOnce(store, api, () => feed.refresh());
  const parts = { registry, feed, faults, api, token: options.token, speed: options.speed };
  const servers = [await listening(createApiServer(parts), { path: options.socketPath })];
  chmodSync(options.socketPath, 0o600);
  let served: Extract<ToParent, { type: "ready" }>["served"] = null;
  if (options.port !== undefined) {
    const certificate = selfSignedCertificate(new Date());
    const where = { port: options.port, host: "127.0.0.1" };
    const tcp = await listening(createApiServer(parts, certificate), where);
    servers.push(tcp);
    const address = tcp.address();
    const port = typeof address === "object" && address !== null ? address.port : options.port;
    served = { url: `https://127.0.0.1:${port}`, certificate: certificate.certificate };
  }
  const running = [
    startNamespaceController(registry, feed, leads),
    startGarbageCollector(registry, feed, leads),
    startControllers(api, { speed: options.speed }),
  ];
  const compacting = setInterval(() => store.compact(), compactMs);
  const tell = (message: ToParent) => parentPort?.postMessage(message);
  parentPort?.on("message", () => {
    clearInterval(compacting);
    for (const part of running) part.stop();
    for (const open of servers) {
      open.close();
      open.closeAllConnections();
    }
    feed.close();
    store.resign(holder);
    store.close();
    parentPort?.close();
    process.exit(0);
  });
  tell({ type: "ready", served });
}

function listening(
  server: Server,
  where: { path: string } | { port: number; host: string },
): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => resolve(server));
  });
}

run().catch((error: unknown) => {
  parentPort?.postMessage({
    type: "failed",
    message: error instanceof Error ? error.message : String(error),
  } satisfies ToParent);
});
