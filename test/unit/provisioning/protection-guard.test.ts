import { expect, test } from "vitest";
import { labels, protectionAnnotation } from "../../../src/application/names.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { apiVersionOf, type Resource, resources } from "../../../src/cluster/resource.ts";
import { guarded } from "../../../src/provisioning/engine/protection-guard.ts";
import { lifting, protecting } from "../../../src/provisioning/objects/protection.ts";
import { memoryCluster } from "./memory-cluster.ts";

const namespace = "app-ledger";
const run = "ledger-delete-1";

/** A service's data store, its claim annotated so, behind the guard of {@link run}. */
async function store(annotations: Readonly<Record<string, string>>) {
  const memory = memoryCluster();
  const make = (resource: Resource, name: string, own: Readonly<Record<string, string>> = {}) =>
    memory.create(resource, {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: {
        name,
        ...(resource.namespaced ? { namespace } : {}),
        labels: { [labels.service]: "ledger" },
        annotations: own,
      },
    });
  await make(resources.namespaces, namespace);
  await make(resources.statefulSets, "ledger-db", annotations);
  await make(resources.persistentVolumeClaims, "data-ledger-db-0", annotations);
  await make(resources.secrets, "ledger-db");
  await make(resources.secrets, "ledger-db-admin");
  await make(resources.secrets, "ledger-tls");
  const cluster: Cluster = {
    ...memory,
    listMetadata: async ({ plural }) => ({
      resourceVersion: "1",
      items: [...memory.objects].flatMap(([key, object]) => (key.startsWith(`${plural} `) ? [object] : [])),
    }),
  };
  return { memory, guard: guarded(cluster, run) };
}

const losses = [
  [resources.statefulSets, { namespace, name: "ledger-db" }],
  [resources.persistentVolumeClaims, { namespace, name: "data-ledger-db-0" }],
  [resources.secrets, { namespace, name: "ledger-db" }],
  [resources.secrets, { namespace, name: "ledger-db-admin" }],
  [resources.namespaces, { name: namespace }],
] as const;

test("no delete reaches protected data, its password or its namespace", async () => {
  for (const annotations of [protecting.metadata.annotations, lifting("another-run").metadata.annotations]) {
    const { memory, guard } = await store(annotations);
    const before = memory.objects.size;
    for (const [resource, ref] of losses) {
      await expect(guard.delete(resource, ref)).rejects.toMatchObject({ class: "refused" });
    }
    expect(memory.objects.size).toBe(before);
    await guard.delete(resources.secrets, { namespace, name: "ledger-tls" });
    expect(memory.objects.size).toBe(before - 1);
  }
});

test("what this run has lifted, and what was never protected, it may delete", async () => {
  for (const annotations of [
    lifting(run).metadata.annotations,
    {},
    { [`${protectionAnnotation}-x`]: "true" },
  ]) {
    const { memory, guard } = await store(annotations);
    for (const [resource, ref] of losses) await guard.delete(resource, ref);
    expect([...memory.objects.keys()]).toEqual(["secrets app-ledger/ledger-tls"]);
  }
});
