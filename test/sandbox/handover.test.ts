import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { resources } from "../../src/cluster/resource.ts";
import { sandboxStage } from "../provisioning/sandbox-stage.ts";

interface Opened {
  readonly cluster: Cluster;
  close(): Promise<void>;
}
let folder: string;
let opened: Opened[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "platform-handover-"));
  opened = [];
});
afterEach(async () => {
  for (const one of opened) await one.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(speed: number): Promise<Opened> {
  const { cluster, close } = await sandboxStage(folder, speed);
  let closed = false;
  const one: Opened = {
    cluster,
    async close() {
      if (closed) return;
      closed = true;
      await close();
    },
  };
  opened.push(one);
  return one;
}

const deploymentStatus = z.object({ readyReplicas: z.number().default(0) });

test("another process that shares the store carries a rollout on when the first one ends", async () => {
  const first = await open(1);
  const second = await open(50);
  const labels = { app: "web" };
  await first.cluster.create(resources.deployments, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } },
    },
  });
  await expect
    .poll(async () => (await second.cluster.list(resources.pods, { namespace: "default" })).items.length, {
      timeout: 20_000,
    })
    .toBe(2);
  await first.close();
  await expect
    .poll(
      async () => {
        const found = await second.cluster.get(resources.deployments, { namespace: "default", name: "web" });
        return deploymentStatus.parse(found.status ?? {}).readyReplicas;
      },
      { timeout: 20_000 },
    )
    .toBe(2);
});

test("a cluster's seed is there from the start, once: what a person deletes stays deleted", async () => {
  const first = await open(100);
  const gateways = {
    group: "gateway.networking.k8s.io",
    version: "v1",
    plural: "gateways",
    kind: "Gateway",
    namespaced: true,
  };
  const names = async (cluster: Cluster, resource: typeof gateways) =>
    (await cluster.list(resource)).items.map(({ metadata }) => metadata.name).sort();
  expect(await names(first.cluster, resources.namespaces)).toEqual([
    "default",
    "external-secrets",
    "gateway",
    "istio-system",
    "kube-node-lease",
    "kube-public",
    "kube-system",
    "monitoring",
    "observability",
  ]);
  expect(await names(first.cluster, resources.nodes)).toHaveLength(3);
  expect(await names(first.cluster, resources.prometheuses)).toEqual(["prometheus"]);
  for (const resource of [resources.serviceMonitors, resources.httpRoutes, resources.certificates]) {
    expect(await first.cluster.serves(resource)).toBe(true);
  }
  await first.cluster.delete(gateways, { namespace: "gateway", name: "public" });
  await first.close();
  const second = await open(100);
  expect(await names(second.cluster, gateways)).toEqual([]);
  expect(await names(second.cluster, resources.nodes)).toHaveLength(3);
});
