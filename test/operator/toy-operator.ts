import { performance } from "node:perf_hooks";
import { type Connection, connect } from "../../src/cluster/connect.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import { createLog } from "../../src/operator/log.ts";
import { createMetrics } from "../../src/operator/metrics.ts";
import { createOperator } from "../../src/operator/operator.ts";
import { toyController } from "./toy-controller.ts";

/** What a toy operator is told, as JSON in its first argument. */
export interface Toy {
  readonly connection: Connection;
  readonly namespace: string;
  readonly lease: string;
  readonly identity: string;
}

/** An operator with a toy controller, as a process of its own; it tells its log on stdout. */
async function main({ connection, namespace, lease, identity }: Toy): Promise<void> {
  const [cluster, leases] = await Promise.all([connect(connection), connect(connection)]);
  const operator = createOperator({
    cluster,
    leases,
    controllers: async (around) => [toyController(around.cluster, namespace, identity)],
    lease,
    shards: 1,
    identity,
    timing: systemTiming,
    steady: () => performance.now(),
    log: createLog((line) => process.stdout.write(line), { level: "debug", now: () => new Date() }),
    metrics: await createMetrics(() => lease),
  });
  const stop = new AbortController();
  process.once("SIGTERM", () => stop.abort(new Error("SIGTERM")));
  await operator.run(stop.signal);
  await Promise.all([cluster.close(), leases.close()]);
}

await main(JSON.parse(process.argv[2] ?? ""));
