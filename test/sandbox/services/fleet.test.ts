import { afterAll, beforeAll, expect, test } from "vitest";
import { desiredObjects } from "../../../src/application/desired-objects.ts";
import { applicationFor } from "../../../src/application/from-request.ts";
import { metricsServiceOf } from "../../../src/application/names.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { systemTiming } from "../../../src/cluster/timing.ts";
import { matchMonitor } from "../../../src/monitoring/explain.ts";
import { prometheus } from "../../../src/monitoring/prometheus.ts";
import { prove } from "../../../src/monitoring/prove.ts";
import { type Fleet, followFleet } from "../../../src/services/fleet.ts";
import { listServices, readServices } from "../../../src/services/list.ts";
import type { Service } from "../../../src/services/service.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";
import { composition } from "../../provisioning/composition.ts";
import { type SandboxStage, sandboxStage } from "../../provisioning/sandbox-stage.ts";

const standards = standardsSchema.parse({
  images: { starter: "registry.example.internal/platform/starter:0.1.0" },
  monitoring: { prometheus: { namespace: "monitoring", service: "prometheus-operated", port: 9090 } },
});

let stage: SandboxStage;
let cluster: Cluster;
let composed: Awaited<ReturnType<typeof composition>>;

beforeAll(async () => {
  stage = await sandboxStage();
  cluster = stage.cluster;
  composed = await composition(cluster);
});

afterAll(async () => {
  await composed.close();
  await stage.close();
});

const create = async (name: string, image?: string) => {
  const request = serviceRequestSchema.parse({ name, language: "go", replicas: 2, cache: "redis", image });
  return composed.provisioner().create(request, { onFailure: "hold" });
};

/** Follows the fleet until a row is as expected, and gives that row. */
async function seen(name: string, expected: (service: Service) => boolean): Promise<Service> {
  const abort = new AbortController();
  const found = Promise.withResolvers<Service>();
  let last: Fleet | undefined;
  const late = AbortSignal.timeout(20_000);
  late.addEventListener("abort", () =>
    found.reject(new Error(`never seen: ${JSON.stringify(last?.services, null, 1)}`)),
  );
  const following = followFleet(
    {
      cluster,
      metrics: prometheus(cluster, standards),
      clock: systemTiming,
      onChange: (fleet) => {
        last = fleet;
        const row = fleet.services.find((service) => service.name === name);
        if (row !== undefined && expected(row)) found.resolve(row);
      },
    },
    abort.signal,
  );
  try {
    return await found.promise;
  } finally {
    abort.abort();
    await following;
  }
}

test("a service is seen while it comes, and when it is proven healthy", async () => {
  const coming = seen(
    "ledger",
    ({ verdict, lastRun }) => verdict === "working" && lastRun?.phase === "Running",
  );
  const execution = await create("ledger");
  expect((await coming).reason).not.toBe("");
  expect((await execution.finished).phase).toBe("Succeeded");
  const row = await seen(
    "ledger",
    ({ verdict, monitoring }) => verdict === "healthy" && monitoring.status === "proven",
  );
  expect(row).toMatchObject({
    team: "platform",
    replicas: { ready: 2, wanted: 2 },
    database: { type: "none" },
    cache: { type: "redis", ready: true },
    starter: true,
    lastRun: { operation: "create", phase: "Succeeded" },
  });
  expect(await readServices(cluster, prometheus(cluster, standards), { name: "ledger" })).toEqual([row]);
  expect(await listServices(cluster, prometheus(cluster, standards))).toContainEqual(row);
  expect(await readServices(cluster, prometheus(cluster, standards), { name: "nobody" })).toEqual([]);
});

test("a service whose image cannot be pulled says so, in the cluster's words, before all others", async () => {
  const execution = await create("checkout", "registry.example.internal/missing/checkout:1");
  const row = await seen("checkout", ({ reason }) => reason.includes("cannot be pulled"));
  expect(row.reason).toContain("registry.example.internal/missing/checkout:1");
  await execution.interrupt("seen enough");
  await execution.finished;
  const rows = await listServices(cluster, prometheus(cluster, standards));
  expect(rows[0]?.name).toBe("checkout");
});

test("monitoring is proven by a target, and its absence is explained", async () => {
  const subject = { name: "ledger", namespace: "app-ledger", enabled: true };
  const evidence = { cluster, metrics: prometheus(cluster, standards), standards };
  expect(await prove(evidence, subject)).toEqual({ status: "proven", targets: 2 });

  const monitor = { namespace: "app-ledger", name: "ledger" };
  const endpoints = [{ port: "other", interval: "30s" }];
  await cluster.patch(resources.serviceMonitors, monitor, { type: "merge", body: { spec: { endpoints } } });
  expect(await prove(evidence, subject)).toEqual({
    status: "broken",
    reason: "ServiceMonitor ledger scrapes port other, and Service ledger-metrics has only metrics",
  });
  await cluster.delete(resources.serviceMonitors, monitor);
  expect(await prove(evidence, subject)).toEqual({
    status: "broken",
    reason: "there is no ServiceMonitor in app-ledger",
  });
  const unnamed = standardsSchema.parse({});
  expect(await prove({ ...evidence, standards: unnamed }, subject)).toMatchObject({
    status: "unproven",
    reason: expect.stringContaining("monitoring.prometheus"),
  });
});

test("the monitor and the Service that the platform makes fit each other", async () => {
  const request = serviceRequestSchema.parse({ name: "search", language: "go" });
  const application = applicationFor(request, standards);
  const { monitoring } = desiredObjects(application, standards);
  const service = monitoring.find(
    ({ kind, metadata }) => kind === "Service" && metadata.name === metricsServiceOf("search"),
  );
  const monitors = monitoring.filter(({ kind }) => kind === "ServiceMonitor");
  expect(service).toBeDefined();
  if (service !== undefined) expect(matchMonitor(monitors, service, "app-search")).toHaveProperty("monitor");
});
