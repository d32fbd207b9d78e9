import type { Cluster } from "../../src/cluster/cluster.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { Controller } from "../../src/operator/controller.ts";

export const toyWorkers = 3;

/** A controller that does nothing but write, again and again: each of its writes is a ConfigMap that says whose it is. */
export function toyController(cluster: Cluster, namespace: string, identity: string): Controller {
  const keys = ["a", "b", "c", "d"].map((name) => `${namespace}/${name}`);
  return {
    name: "toys",
    workers: toyWorkers,
    async start(enqueue) {
      for (const key of keys) enqueue(key, "low");
    },
    async reconcile(key, signal) {
      for (let writes = 0; writes < 3; writes++) {
        const write = {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "", generateName: "write-", namespace },
          data: { by: identity, key },
        };
        await cluster.create(resources.configMaps, write, { signal });
      }
      return { againMs: 200 };
    },
  };
}

/** Whose the writes are that were made so far, in their order. */
export async function writers(cluster: Cluster, namespace: string): Promise<readonly string[]> {
  const { items } = await cluster.list(resources.configMaps, { namespace });
  return items
    .filter(({ metadata }) => metadata.name.startsWith("write-"))
    .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
    .map(({ data }) => String(Object(data).by));
}
