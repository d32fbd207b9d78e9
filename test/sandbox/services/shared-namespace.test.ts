import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { systemTiming } from "../../../src/cluster/timing.ts";
import { prometheus } from "../../../src/monitoring/prometheus.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";
import { feedDetail } from "../../../src/state/feeds/detail.ts";
import type { UseCases } from "../../../src/state/feeds/feed.ts";
import { feedFleet } from "../../../src/state/feeds/fleet.ts";
import type { ServiceTab } from "../../../src/state/place.ts";
import { serviceAt } from "../../../src/state/service-list.ts";
import { createStores, type Stores } from "../../../src/state/stores.ts";
import { runControllers } from "../../operator/running.ts";
import { application, eventually, manage, prepare } from "../../operator/stage.ts";
import { composition } from "../../provisioning/composition.ts";
import { type SandboxStage, sandboxStage } from "../../provisioning/sandbox-stage.ts";

const standards = standardsSchema.parse({
  teams: { payments: { groups: ["team-payments"] } },
  monitoring: { prometheus: { namespace: "monitoring", service: "prometheus-operated", port: 9090 } },
});

let stage: SandboxStage;
let cluster: Cluster;
let stores: Stores;
let useCases: UseCases;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  stage = await sandboxStage();
  cluster = stage.cluster;
  await prepare(cluster, standards);
  for (const name of ["production", "staging"]) await manage(cluster, name, standards);
  const operator = await runControllers(cluster, { momentMs: 0 });
  const composed = await composition(cluster);
  ends.push(operator.stop, composed.close);
  const { provisioner } = composed;
  useCases = {
    cluster,
    standards,
    provisioner: provisioner(),
    metrics: prometheus(cluster, standards),
    clock: systemTiming,
  };
  stores = createStores({ context: "sandbox", simulated: true, now: 0 });
  const abort = new AbortController();
  const following = feedFleet(stores, useCases, abort.signal);
  ends.unshift(() => {
    abort.abort();
    return following;
  });
  const spec = { replicas: 1, monitoring: { enabled: true } };
  const broken = { ...spec, image: "registry.example.internal/payments/api:crash" };
  await cluster.create(resources.applications, application("production", "api", broken));
  await cluster.create(resources.applications, application("production", "api-gateway", spec));
  await cluster.create(resources.applications, application("staging", "api", spec));
});

afterAll(async () => {
  for (const end of ends) await end();
  await stage.close();
});

/** Shows a tab until it is as expected. */
async function shown(key: string, tab: ServiceTab, expected: (cells: readonly string[][]) => void) {
  const abort = new AbortController();
  const feeding = feedDetail(key, tab)(stores, useCases, abort.signal);
  try {
    await eventually(`${tab} of ${key}`, () => {
      const { of, rows } = stores.detail.getState();
      expect(of).toBe(`${key}/${tab}`);
      expected(rows.map(({ cells }) => [...cells]));
    });
  } finally {
    abort.abort();
    await feeding;
  }
}

test("each has a live row of its own, and the reason of its own pods", async () => {
  await eventually("the rows", () => {
    const { services } = stores.fleet.getState();
    expect(services).toHaveLength(3);
    expect(serviceAt(services, "production/api")).toMatchObject({
      verdict: "failed",
      reason: expect.stringContaining("crashes"),
    });
    for (const key of ["production/api-gateway", "staging/api"]) {
      expect(serviceAt(services, key)).toMatchObject({
        verdict: "healthy",
        replicas: { ready: 1, wanted: 1 },
        monitoring: { status: "proven", targets: 1 },
      });
    }
  });
});

test("its tabs show what is its own", async () => {
  const names = (first: RegExp) => (cells: readonly string[][]) => {
    expect(cells).toHaveLength(1);
    expect(cells[0]?.[0]).toMatch(first);
  };
  await shown("production/api", "pods", names(/^api-[0-9a-f]{8,}-/));
  await shown("production/api-gateway", "pods", names(/^api-gateway-[0-9a-f]{8,}-/));
  const about = (name: RegExp) => (cells: readonly string[][]) => {
    expect(cells.length).toBeGreaterThan(2);
    for (const [, , object] of cells) expect(object).toMatch(name);
  };
  await shown("production/api", "events", about(/^[a-z]+\/api(-[0-9a-f]{8,}.*|-metrics)?$/));
  await shown("production/api-gateway", "events", about(/\/api-gateway/));
  await shown("production/api-gateway", "monitoring", (cells) =>
    expect(cells).toEqual([["up", expect.stringContaining("target"), ""]]),
  );
  await shown("staging/api", "yaml", (cells) => expect(cells.flat()).toContain("  namespace: staging"));
  await shown("staging/api", "logs", (cells) => expect(cells.length).toBeGreaterThan(0));
});
