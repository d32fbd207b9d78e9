import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import { prometheus } from "../../src/monitoring/prometheus.ts";
import { createApplicationsControllers } from "../../src/operator/applications/index.ts";
import { createLog } from "../../src/operator/log.ts";
import { createMetrics } from "../../src/operator/metrics.ts";
import { createOperator } from "../../src/operator/operator.ts";
import { createRunsController } from "../../src/operator/runs/controller.ts";
import type { CloudStores } from "../../src/provisioning/data-stores/cloud-stores.ts";
import { noCloudStores } from "../../src/provisioning/data-stores/no-cloud-stores.ts";
import { operatorPresence } from "../../src/provisioning/operator-presence.ts";
import { loadStandards } from "../../src/standards/load.ts";
import type { Composition } from "./composition.ts";

/** An operator that executes runs, in this process. */
export interface Operating {
  readonly log: readonly string[];
  /** In good order, as on SIGTERM. */
  stop(): Promise<void>;
}

/** Starts one; resolves once others can see that it lives. */
export async function operating(
  cluster: Cluster,
  composed: Pick<Composition, "codeHost">,
  {
    name = "one",
    cloud = noCloudStores(),
    applications = false,
  }: {
    readonly name?: string;
    readonly cloud?: CloudStores;
    /** Whether it keeps Applications too. */
    readonly applications?: boolean;
  } = {},
): Promise<Operating> {
  const lines: string[] = [];
  const operator = createOperator({
    cluster,
    leases: cluster,
    shards: 1,
    identity: name,
    timing: systemTiming,
    steady: () => performance.now(),
    log: createLog((line) => lines.push(line), { level: "info", now: () => new Date() }),
    metrics: await createMetrics(() => "platform-operator"),
    controllers: async ({ cluster: fenced, log, timing, identity }) => [
      ...(applications
        ? createApplicationsControllers({
            ...{ cluster: fenced, log, timing, identity },
            ...{ momentMs: 0, patienceMs: 200, credentialsMs: 200, namespacePatienceMs: 100 },
          })
        : []),
      createRunsController({
        cluster: fenced,
        log,
        timing,
        randomBytes,
        holder: `operator@${identity}`,
        executing: async () => {
          const standards = await loadStandards(fenced);
          return { standards, codeHost: composed.codeHost, cloud, metrics: prometheus(fenced, standards) };
        },
      }),
    ],
  });
  const stopping = new AbortController();
  const running = operator.run(stopping.signal);
  const deadline = Date.now() + 40_000;
  for (;;) {
    const { alive, holder } = await operatorPresence(cluster, systemTiming);
    if (alive && holder.includes(name)) break;
    if (Date.now() > deadline) throw new Error(`the operator does not live:\n${lines.join("")}`);
    await systemTiming.sleep(50);
  }
  return {
    log: lines,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
