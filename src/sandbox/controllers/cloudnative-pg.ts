import { z } from "zod";
import type { StoredObject } from "../api.ts";
import { seedCloudNativePg } from "../seed-definitions.ts";
import { isTrue, withCondition } from "./conditions.ts";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { between } from "./names.ts";
import { conditionsStatusShape, typed } from "./shapes.ts";
import { nowText, type Simulation, Stages } from "./simulation.ts";

const clusters = "postgresql.cnpg.io/clusters";
const standards = "platform.company.com/standards";
const definitions = "apiextensions.k8s.io/customresourcedefinitions";
const component = "cloudnative-pg";

const chosen = z.looseObject({ database: z.looseObject({ cloudnativepg: z.unknown() }) });
const clusterSpec = z.looseObject({
  instances: z.int().default(1),
  bootstrap: z
    .looseObject({
      initdb: z
        .looseObject({ secret: z.looseObject({ name: z.string().default("") }).optional() })
        .prefault({}),
    })
    .prefault({}),
  storage: z
    .looseObject({ size: z.string().default("1Gi"), storageClass: z.string().optional() })
    .prefault({}),
});
const placeholder = Buffer.from("simulated by the sandbox\n").toString("base64");

/** Tells the key of the standards from those of Clusters. */
const standardsKey = "standards:";

/**
 * Serves databases as CloudNativePG does, as far as others see them: volumes, Services, the authority's Secret, and a
 * status. No pod runs and no data is stored. It is there from when the standards have it.
 */
export function cloudNativePgController(simulation: Simulation): Controller {
  const { api, events } = simulation;
  const stages = new Stages(simulation);

  function install(name: string): undefined {
    const parsed = chosen.safeParse(api.get(standards, undefined, name)?.spec);
    if (!parsed.success || parsed.data.database.cloudnativepg === undefined) return undefined;
    const definition = seedCloudNativePg();
    if (api.get(definitions, undefined, definition.metadata.name) === undefined) {
      api.create(definitions, definition);
    }
    return undefined;
  }

  function tell(stored: StoredObject, phase: string, isReady: boolean): void {
    const { status } = typed(stored, z.unknown(), conditionsStatusShape);
    const condition = {
      type: "Ready",
      status: isReady ? "True" : "False",
      reason: isReady ? "ClusterIsReady" : "ClusterIsNotReady",
      message: isReady ? "Cluster is Ready" : "Cluster Is Not Ready",
    } as const;
    const conditions = withCondition(status.conditions, condition, nowText(simulation));
    api.updateStatus(clusters, { ...stored, status: { ...status, phase, conditions } });
  }

  /** What is the Cluster's own, made where it is missing. */
  function make(stored: StoredObject, resource: string, object: Record<string, unknown>, name: string): void {
    const { namespace, uid, name: cluster } = stored.metadata;
    if (api.get(resource, namespace, name) !== undefined) return;
    const { apiVersion, kind } = stored;
    api.create(resource, {
      apiVersion: "v1",
      ...object,
      metadata: {
        name,
        namespace,
        labels: { "cnpg.io/cluster": cluster },
        ownerReferences: [{ apiVersion, kind, name: cluster, uid, controller: true }],
      },
    });
  }

  function serve(key: string): number | undefined {
    const { namespace, name } = parseKey(key);
    const stored = api.get(clusters, namespace, name);
    if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
    const { spec, status, metadata } = typed(stored, clusterSpec, conditionsStatusShape);
    if (isTrue(status.conditions, "Ready")) return undefined;
    const secret = spec.bootstrap.initdb.secret?.name;
    if (secret !== undefined && api.get("/secrets", namespace, secret) === undefined) {
      tell(stored, "Setting up primary", false);
      return 2_000;
    }
    if (stages.enters(metadata.uid, "setting up")) {
      tell(stored, "Setting up primary", false);
      events.record(stored, "Normal", "CreatingInstance", `Primary instance (initdb)`, component);
    }
    const left = stages.left(metadata.uid, "setting up", between(metadata.uid, 4_000, 9_000));
    if (left > 0) return left;
    const data = { "ca.crt": placeholder, "ca.key": placeholder };
    make(stored, "/secrets", { kind: "Secret", type: "Opaque", data }, `${name}-ca`);
    for (const role of ["rw", "ro", "r"]) {
      const ports = [{ name: "postgres", port: 5432, targetPort: 5432, protocol: "TCP" }];
      make(stored, "/services", { kind: "Service", spec: { type: "ClusterIP", ports } }, `${name}-${role}`);
    }
    for (let instance = 1; instance <= spec.instances; instance += 1) {
      const { size, storageClass } = spec.storage;
      const claim = {
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: size } },
        volumeMode: "Filesystem",
        ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      };
      make(
        stored,
        "/persistentvolumeclaims",
        { kind: "PersistentVolumeClaim", spec: claim },
        `${name}-${instance}`,
      );
    }
    tell(api.get(clusters, namespace, name) ?? stored, "Cluster in healthy state", true);
    stages.forget(metadata.uid);
    return undefined;
  }

  return {
    name: component,
    resources: [standards, clusters],
    *concerns({ type, resource, object }) {
      if (type === "DELETED") return;
      if (resource === clusters) yield keyOf(object);
      if (resource === standards) yield `${standardsKey}${object.metadata.name}`;
    },
    reconcile(key) {
      return key.startsWith(standardsKey) ? install(key.slice(standardsKey.length)) : serve(key);
    },
  };
}
