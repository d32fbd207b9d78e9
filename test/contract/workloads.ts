import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../src/cluster/object.ts";
import { resources } from "../../src/cluster/resource.ts";
import { at, type Contract, deployment, eventually, failureOf, podTemplate } from "./contract.ts";

/** What controllers make of workloads. */
export function workloads(contract: () => Contract): void {
  const { deployments, replicaSets, pods, statefulSets, jobs } = resources;
  const ref = (name: string) => ({ namespace: contract().namespace, name });
  const ready = (name: string, wanted: number) =>
    eventually(async () => {
      const object = await contract().cluster.get(deployments, ref(name));
      expect(object.status).toMatchObject({
        observedGeneration: object.metadata.generation,
        replicas: wanted,
        updatedReplicas: wanted,
        readyReplicas: wanted,
        availableReplicas: wanted,
      });
      return object;
    });
  const byApp = (resource: typeof pods | typeof replicaSets, app: string) =>
    contract().cluster.list(resource, { namespace: contract().namespace, labelSelector: `app=${app}` });

  describe("a Deployment", () => {
    test("becomes ready, scales, and rolls out a new image", async () => {
      const { cluster, namespace } = contract();
      await cluster.create(deployments, deployment(namespace, "rolling", { replicas: 2 }));
      const first = await ready("rolling", 2);
      expect(at(first, "status", "conditions")).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ type: "Available", status: "True", reason: "MinimumReplicasAvailable" }),
          expect.objectContaining({ type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" }),
        ]),
      );
      expect(first.metadata.annotations).toMatchObject({ "deployment.kubernetes.io/revision": "1" });
      const [set] = (await byApp(replicaSets, "rolling")).items;
      expect(set?.metadata.ownerReferences).toMatchObject([
        {
          kind: "Deployment",
          name: "rolling",
          uid: first.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ]);
      const hash = set?.metadata.labels?.["pod-template-hash"];
      expect(set?.metadata.name).toBe(`rolling-${hash}`);
      const made = await byApp(pods, "rolling");
      expect(made.items).toHaveLength(2);
      for (const pod of made.items) {
        expect(pod.metadata.ownerReferences).toMatchObject([{ kind: "ReplicaSet", uid: set?.metadata.uid }]);
        expect(pod.metadata.labels).toEqual({ app: "rolling", "pod-template-hash": hash });
        expect(pod.status).toMatchObject({
          phase: "Running",
          podIP: expect.stringMatching(/^[\d.]+$/),
          conditions: expect.arrayContaining([expect.objectContaining({ type: "Ready", status: "True" })]),
          containerStatuses: [expect.objectContaining({ name: "app", ready: true, restartCount: 0 })],
        });
        expect(at(pod, "spec", "nodeName")).toBeTypeOf("string");
      }

      const merge = (body: unknown) => cluster.patch(deployments, ref("rolling"), { type: "merge", body });
      await merge({ spec: { replicas: 3 } });
      await ready("rolling", 3);

      await cluster.patch(deployments, ref("rolling"), {
        type: "json",
        body: [
          { op: "replace", path: "/spec/template/spec/containers/0/image", value: "registry.example/app:2" },
        ],
      });
      const second = await ready("rolling", 3);
      expect(second.metadata.annotations).toMatchObject({ "deployment.kubernetes.io/revision": "2" });
      await eventually(async () => {
        const sets = (await byApp(replicaSets, "rolling")).items;
        expect(sets).toHaveLength(2);
        const old = sets.find(({ metadata }) => metadata.uid === set?.metadata.uid);
        expect(old).toMatchObject({ spec: { replicas: 0 }, status: { replicas: 0 } });
        const images = (await byApp(pods, "rolling")).items.map((pod) =>
          at(pod, "spec", "containers", 0, "image"),
        );
        expect(images).toEqual(Array(3).fill("registry.example/app:2"));
      });

      await merge({ spec: { replicas: 0 } });
      await eventually(async () => expect((await byApp(pods, "rolling")).items).toEqual([]));
      await eventually(async () => {
        const table = await cluster.listTable(deployments, {
          namespace,
          fieldSelector: "metadata.name=rolling",
        });
        expect(table.rows[0]?.cells.slice(0, 2)).toEqual(["rolling", "0/0"]);
      });
    });

    test("replaces a pod that goes", async () => {
      const { cluster, namespace } = contract();
      await cluster.create(deployments, deployment(namespace, "healing"));
      await ready("healing", 1);
      const [before] = (await byApp(pods, "healing")).items;
      await cluster.delete(pods, ref(before?.metadata.name ?? ""));
      await eventually(async () => {
        const { items } = await byApp(pods, "healing");
        expect(items).toHaveLength(1);
        expect(items[0]?.metadata.uid).not.toBe(before?.metadata.uid);
      });
      await ready("healing", 1);
    });
  });

  describe("a StatefulSet", () => {
    test("has pods by number, each with its volume, which outlives it", async () => {
      const { cluster, namespace } = contract();
      const object: KubeObject = {
        apiVersion: "apps/v1",
        kind: "StatefulSet",
        metadata: { name: "store", namespace },
        spec: {
          replicas: 2,
          serviceName: "store",
          selector: { matchLabels: { app: "store" } },
          template: podTemplate("store"),
          volumeClaimTemplates: [
            {
              metadata: { name: "data" },
              spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
            },
          ],
        },
      };
      const made = await cluster.create(statefulSets, object);
      expect(made.spec).toMatchObject({
        podManagementPolicy: "OrderedReady",
        updateStrategy: { type: "RollingUpdate" },
      });
      await eventually(async () => {
        const set = await cluster.get(statefulSets, ref("store"));
        expect(set.status).toMatchObject({ replicas: 2, readyReplicas: 2, currentReplicas: 2 });
      });
      const names = (await byApp(pods, "store")).items.map(({ metadata }) => metadata.name);
      expect(names).toEqual(["store-0", "store-1"]);
      const claims = resources.persistentVolumeClaims;
      await eventually(async () => {
        const claim = await cluster.get(claims, ref("data-store-0"));
        expect(claim).toMatchObject({
          metadata: { labels: { app: "store" } },
          spec: { volumeName: expect.any(String), storageClassName: expect.any(String) },
          status: { phase: "Bound", capacity: { storage: "1Gi" } },
        });
      });
      const claim = await cluster.get(claims, ref("data-store-0"));
      expect(claim.metadata.finalizers).toEqual(["kubernetes.io/pvc-protection"]);
      await cluster.delete(statefulSets, ref("store"));
      await eventually(async () => expect((await byApp(pods, "store")).items).toEqual([]));
      await cluster.get(claims, ref("data-store-0"));
      await cluster.delete(claims, ref("data-store-0"));
      await eventually(() => failureOf(cluster.get(claims, ref("data-store-0")), "not-found"));
    });
  });

  describe("a Job", () => {
    test("completes", async () => {
      const { cluster, namespace } = contract();
      const template = podTemplate("once");
      await cluster.create(jobs, {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name: "once", namespace },
        spec: { template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } },
      });
      await eventually(async () => {
        const job = await cluster.get(jobs, ref("once"));
        expect(job.status).toMatchObject({
          succeeded: 1,
          conditions: expect.arrayContaining([expect.objectContaining({ type: "Complete", status: "True" })]),
        });
      });
      const found = await cluster.list(pods, {
        namespace,
        labelSelector: "batch.kubernetes.io/job-name=once",
      });
      expect(found.items.map((pod) => at(pod, "status", "phase"))).toEqual(["Succeeded"]);
    });
  });

  describe("a PodDisruptionBudget", () => {
    test("counts healthy pods", async () => {
      const { cluster, namespace } = contract();
      await cluster.create(deployments, deployment(namespace, "budgeted", { replicas: 2 }));
      await cluster.create(resources.podDisruptionBudgets, {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "budgeted", namespace },
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: "budgeted" } } },
      });
      await eventually(async () => {
        const budget = await cluster.get(resources.podDisruptionBudgets, ref("budgeted"));
        expect(budget.status).toMatchObject({ expectedPods: 2, currentHealthy: 2, disruptionsAllowed: 1 });
      });
    });
  });
}
