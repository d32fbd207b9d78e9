import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { openTransport } from "../../src/cluster/connect.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { Transport } from "../../src/cluster/transport.ts";
import type { FaultRequest } from "../../src/sandbox/fault.ts";
import { endpointOf, type SandboxStage, sandboxStage } from "../provisioning/sandbox-stage.ts";

let stage: SandboxStage;
let cluster: Cluster;
let transport: Transport;
let made = 0;
beforeAll(async () => {
  stage = await sandboxStage();
  cluster = stage.cluster;
  transport = await openTransport(endpointOf(stage.sandbox));
});
afterEach(async () => {
  await transport.send({ method: "DELETE", path: "/sandbox/faults", text: "clear", idempotent: true });
});
afterAll(async () => {
  await transport.close();
  await stage.close();
});

const inject = (body: FaultRequest) =>
  transport.send({ method: "POST", path: "/sandbox/faults", body, text: "add", idempotent: false });

function configMap(): KubeObject & { metadata: { name: string; namespace: string } } {
  made += 1;
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `map-${made}`, namespace: "default" },
    data: { n: String(made) },
  };
}

test("a refused write fails with the fault's own words and leaves nothing", async () => {
  await inject({
    kind: "refuse",
    status: 507,
    reason: "Full",
    message: "the disk is full",
    times: 1,
    when: { resource: "configmaps" },
  });
  const object = configMap();
  await expect(cluster.create(resources.configMaps, object)).rejects.toThrow(/the disk is full/);
  await expect(cluster.get(resources.configMaps, object.metadata)).rejects.toMatchObject({
    kind: "not-found",
  });
  await cluster.create(resources.configMaps, object);
});

test.each([
  ["reset", "unreachable"],
  ["error", "server"],
] as const)("a half-applied write is stored though its answer is lost (%s)", async (answer, kind) => {
  await inject({ kind: "half-apply", answer, times: 1, when: { resource: "configmaps", verbs: ["create"] } });
  const object = configMap();
  await expect(cluster.create(resources.configMaps, object)).rejects.toMatchObject({ kind });
  expect((await cluster.get(resources.configMaps, object.metadata)).data).toEqual(object.data);
});

test("a fault of a step hits the writes of that step only", async () => {
  await inject({ kind: "refuse", message: "no network today", when: { step: "configure_network" } });
  await cluster.create(resources.configMaps, configMap(), { step: "setup_monitoring" });
  await cluster.create(resources.configMaps, configMap());
  await expect(
    cluster.create(resources.configMaps, configMap(), { step: "configure_network" }),
  ).rejects.toThrow(/no network today/);
});

test("what is forbidden is refused, and access reviews know it beforehand", async () => {
  const question = { verb: "create", group: "", resource: "configmaps", namespace: "default" };
  expect(await cluster.can(question)).toBe(true);
  await inject({ kind: "forbid", when: { resource: "configmaps", verbs: ["create"] } });
  expect(await cluster.can(question)).toBe(false);
  await expect(cluster.create(resources.configMaps, configMap())).rejects.toMatchObject({
    kind: "forbidden",
  });
});

test("a server that is gone for a time is unreachable, and back afterwards", async () => {
  await inject({ kind: "down", forMs: 400 });
  await expect(cluster.create(resources.configMaps, configMap())).rejects.toMatchObject({
    kind: "unreachable",
  });
  await expect.poll(() => cluster.version().catch(() => "gone"), { timeout: 10_000 }).toMatch(/^v1\./);
});

test("a delayed request is served late", async () => {
  await inject({ kind: "delay", ms: 300, times: 1, when: { resource: "configmaps" } });
  const before = performance.now();
  await cluster.create(resources.configMaps, configMap());
  expect(performance.now() - before).toBeGreaterThan(290);
});

test("open watches are cut, and a new one goes on from where the old one was", async () => {
  const { resourceVersion } = await cluster.list(resources.configMaps, { namespace: "default" });
  const object = configMap();
  // What is cut has to be open by then: it is once it has told of something.
  let opened: () => void = () => {};
  const open = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const watch = async () => {
    const names: string[] = [];
    for await (const event of cluster.watch(resources.configMaps, {
      namespace: "default",
      resourceVersion,
    })) {
      if (event.type === "ADDED") names.push(event.object.metadata.name);
      if (names.includes(object.metadata.name)) opened();
    }
    return names;
  };
  const cut = watch().catch((error: unknown) => error);
  await cluster.create(resources.configMaps, object);
  await open;
  await inject({ kind: "drop-watches", when: { resource: "configmaps" } });
  await cut;
  const signal = AbortSignal.timeout(10_000);
  for await (const event of cluster.watch(resources.configMaps, {
    namespace: "default",
    resourceVersion,
    signal,
  })) {
    if (event.type === "ADDED" && event.object.metadata.name === object.metadata.name) break;
  }
});
