import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { databasesNamespace } from "../../src/application/names.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { isClusterError } from "../../src/cluster/errors.ts";
import { find } from "../../src/cluster/find.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { definitionOf, type Resource, resources } from "../../src/cluster/resource.ts";
import { clusterLabel } from "../../src/provisioning/data-stores/postgres-cluster.ts";

const text = { type: "string" };
const whole = { type: "integer" };
const flag = { type: "boolean" };
const map = { type: "object", additionalProperties: text };
const quantities = {
  type: "object",
  additionalProperties: { anyOf: [{ type: "integer" }, text], "x-kubernetes-int-or-string": true },
};
const list = { type: "array", items: text };
const object = (properties: object, required: readonly string[] = []) => ({
  type: "object",
  properties,
  ...(required.length === 0 ? {} : { required }),
});

const kind = resources.postgresClusters;

/**
 * The definition of CloudNativePG's Cluster, as its version 1.29 has it, cut to the fields that the platform writes and
 * reads: what the platform writes beside them the API server would leave out, and a test sees that.
 */
export const clusterDefinition: KubeObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: definitionOf(kind) },
  spec: {
    group: kind.group,
    scope: "Namespaced",
    names: { kind: kind.kind, listKind: "ClusterList", plural: kind.plural, singular: "cluster" },
    versions: [
      {
        name: kind.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: object(
            {
              spec: object(
                {
                  description: text,
                  imageName: text,
                  instances: { ...whole, minimum: 1 },
                  inheritedMetadata: object({ labels: map, annotations: map }),
                  enableSuperuserAccess: flag,
                  bootstrap: object({
                    initdb: object({
                      database: text,
                      owner: text,
                      dataChecksums: flag,
                      secret: object({ name: text }, ["name"]),
                    }),
                  }),
                  storage: object({ size: text, storageClass: text }),
                  resources: object({ requests: quantities, limits: quantities }),
                  postgresql: object({ pg_hba: list }),
                  affinity: object({
                    enablePodAntiAffinity: flag,
                    podAntiAffinityType: text,
                    topologyKey: text,
                  }),
                },
                ["instances"],
              ),
              status: object({
                phase: text,
                phaseReason: text,
                conditions: {
                  type: "array",
                  items: object({
                    type: text,
                    status: text,
                    reason: text,
                    message: text,
                    lastTransitionTime: text,
                  }),
                },
              }),
            },
            ["spec"],
          ),
        },
      },
    ],
  },
};

const specSchema = z.looseObject({
  instances: z.int(),
  storage: z.looseObject({ size: z.string() }),
  bootstrap: z.looseObject({
    initdb: z.looseObject({ secret: z.looseObject({ name: z.string() }) }),
  }),
});

/**
 * Does what CloudNativePG's controller does with a Cluster, as far as the platform sees it: once the Secret of the owner is
 * there, the authority's Secret, a volume claim for each instance, and a status that says healthy.
 */
export function playCloudNativePg(cluster: Cluster): { stop(): Promise<void> } {
  const stopped = new AbortController();

  async function make(owner: KubeObject, resource: Resource, made: object, name: string): Promise<void> {
    if ((await find(cluster, resource, { namespace: databasesNamespace, name })) !== undefined) return;
    const { name: ownerName, uid = "" } = owner.metadata;
    const reference = { apiVersion: "postgresql.cnpg.io/v1", kind: "Cluster", name: ownerName, uid };
    await cluster.create(resource, {
      apiVersion: "v1",
      kind: resource.kind,
      metadata: {
        namespace: databasesNamespace,
        name,
        labels: { [clusterLabel]: ownerName },
        ownerReferences: [{ ...reference, controller: true }],
      },
      ...made,
    });
  }

  async function once(): Promise<void> {
    const { items } = await cluster.list(kind, { namespace: databasesNamespace });
    for (const item of items) {
      const { name, deletionTimestamp } = item.metadata;
      if (item.status !== undefined || deletionTimestamp !== undefined) continue;
      const { instances, storage, bootstrap } = specSchema.parse(item.spec);
      const login = { namespace: databasesNamespace, name: bootstrap.initdb.secret.name };
      if ((await find(cluster, resources.secrets, login)) === undefined) continue;
      const data = { "ca.crt": Buffer.from("played\n").toString("base64") };
      await make(item, resources.secrets, { type: "Opaque", data }, `${name}-ca`);
      for (let instance = 1; instance <= instances; instance += 1) {
        const spec = {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: storage.size } },
        };
        await make(item, resources.persistentVolumeClaims, { spec }, `${name}-${instance}`);
      }
      const condition = {
        type: "Ready",
        status: "True",
        reason: "ClusterIsReady",
        message: "Cluster is Ready",
        lastTransitionTime: new Date().toISOString(),
      };
      const body = { status: { phase: "Cluster in healthy state", conditions: [condition] } };
      const ref = { namespace: databasesNamespace, name };
      await cluster.patch(kind, ref, { type: "merge", body }, { subresource: "status" });
    }
  }

  const running = (async () => {
    while (!stopped.signal.aborted) {
      await once().catch((error: unknown) => {
        // What is being deleted meanwhile is looked at again.
        if (!isClusterError(error)) throw error;
      });
      await setTimeout(200);
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
