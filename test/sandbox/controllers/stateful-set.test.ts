import { afterEach, beforeEach, expect, test } from "vitest";
import {
  statefulSetSpecShape,
  statefulSetStatusShape,
  typed,
} from "../../../src/sandbox/controllers/shapes.ts";
import { namespace, type World, world } from "./world.ts";

let w: World;
beforeEach(() => {
  w = world();
});
afterEach(() => w.stop());

function statefulSet(options: {
  readonly replicas?: number;
  readonly image?: string;
  readonly storageClassName?: string;
}) {
  const { replicas = 2, image = "docker.io/library/postgres:15", storageClassName } = options;
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db" },
    spec: {
      replicas,
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "postgres", image }] } },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: {
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: "1Gi" } },
            ...(storageClassName === undefined ? {} : { storageClassName }),
          },
        },
      ],
    },
  };
}
const status = () =>
  typed(w.see("apps/statefulsets", "db"), statefulSetSpecShape, statefulSetStatusShape).status;
const claims = () => w.api.list("/persistentvolumeclaims").map(({ metadata }) => metadata.name);

test("pods come up in order, each with a bound volume of its own", async () => {
  w.create("apps/statefulsets", statefulSet({}));
  await w.until(() => w.pods().length === 2);
  expect(w.pods().map(({ metadata }) => metadata.name)).toEqual(["db-0", "db-1"]);
  expect(w.pods()[0]?.status.conditions.find(({ type }) => type === "Ready")?.status).toBe("True");
  await w.until(() => status().readyReplicas === 2);
  expect(claims()).toEqual(["data-db-0", "data-db-1"]);
  expect(w.see("/persistentvolumeclaims", "data-db-0").status).toMatchObject({ phase: "Bound" });
  expect(w.api.list("/persistentvolumes")).toHaveLength(2);
  expect(w.pods()[0]?.metadata.labels).toMatchObject({
    "statefulset.kubernetes.io/pod-name": "db-0",
    "apps.kubernetes.io/pod-index": "0",
  });
});

test("deleting the StatefulSet keeps its claims; deleting a claim takes its volume with it", async () => {
  w.create("apps/statefulsets", statefulSet({ replicas: 1 }));
  await w.until(() => status().readyReplicas === 1);
  w.api.delete("apps/statefulsets", namespace, "db");
  await w.until(() => w.pods().length === 0);
  await w.advance(30_000);
  expect(claims()).toEqual(["data-db-0"]);
  w.api.delete("/persistentvolumeclaims", namespace, "data-db-0");
  await w.until(() => w.api.list("/persistentvolumes").length === 0);
  expect(claims()).toEqual([]);
});

test("a claim that is in use goes only after its pod", async () => {
  w.create("apps/statefulsets", statefulSet({ replicas: 1 }));
  await w.until(() => status().readyReplicas === 1);
  w.api.delete("/persistentvolumeclaims", namespace, "data-db-0");
  await w.advance(10_000);
  expect(claims()).toEqual(["data-db-0"]);
  w.api.delete("apps/statefulsets", namespace, "db");
  await w.until(() => claims().length === 0);
});

test("a new template replaces pods from the last to the first, keeping their volumes", async () => {
  w.create("apps/statefulsets", statefulSet({}));
  await w.until(() => status().readyReplicas === 2);
  const before = w.see("/persistentvolumeclaims", "data-db-0").metadata.uid;
  const stored = w.see("apps/statefulsets", "db");
  w.api.update("apps/statefulsets", {
    ...stored,
    spec: statefulSet({ image: "docker.io/library/postgres:16" }).spec,
  });
  await w.until(() => w.api.get("/pods", namespace, "db-1")?.metadata.deletionTimestamp !== undefined);
  expect(w.see("/pods", "db-0").metadata.deletionTimestamp).toBeUndefined();
  await w.until(() => {
    const { currentRevision, updateRevision, updatedReplicas } = status();
    return updatedReplicas === 2 && currentRevision === updateRevision;
  });
  expect(w.pods().map(({ spec }) => spec.containers[0]?.image)).toEqual([
    "docker.io/library/postgres:16",
    "docker.io/library/postgres:16",
  ]);
  expect(w.see("/persistentvolumeclaims", "data-db-0").metadata.uid).toBe(before);
});

test("without its storage class the pod waits unscheduled and says why", async () => {
  w.create("apps/statefulsets", statefulSet({ replicas: 1, storageClassName: "fast" }));
  await w.until(() => w.events("db-0").length > 0);
  await w.advance(10_000);
  expect(w.events("db-0")).toEqual([
    "FailedScheduling: 0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
  ]);
  expect(w.events("data-db-0")).toEqual(['ProvisioningFailed: storageclass.storage.k8s.io "fast" not found']);
  expect(w.pods()[0]?.status.phase).toBe("Pending");
});
