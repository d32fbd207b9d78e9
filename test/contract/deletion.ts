import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../src/cluster/object.ts";
import { resources } from "../../src/cluster/resource.ts";
import { at, type Contract, configMap, deployment, eventually, failureOf } from "./contract.ts";

/** Deletion: preconditions, finalizers, garbage collection in its three manners. */
export function deletion(contract: () => Contract): void {
  const { configMaps, deployments } = resources;
  const ref = (name: string) => ({ namespace: contract().namespace, name });
  const ownedBy = (owner: KubeObject, block = false) => ({
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? "",
    ...(block ? { blockOwnerDeletion: true } : {}),
  });
  const make = (name: string, metadata: Record<string, unknown> = {}) =>
    contract().cluster.create(configMaps, configMap(contract().namespace, name, { metadata }));
  const gone = (name: string) =>
    eventually(() => failureOf(contract().cluster.get(configMaps, ref(name)), "not-found"));

  describe("delete", () => {
    test("removes, once", async () => {
      const { cluster } = contract();
      await make("removed");
      await cluster.delete(configMaps, ref("removed"));
      const error = await failureOf(cluster.delete(configMaps, ref("removed")));
      expect(error).toMatchObject({ kind: "not-found", message: 'configmaps "removed" not found' });
    });

    test("takes UID and version as preconditions", async () => {
      const { cluster } = contract();
      const made = await make("exact-delete");
      const uid = "00000000-0000-4000-8000-000000000000";
      const other = await failureOf(cluster.delete(configMaps, ref("exact-delete"), { uid }));
      expect(other).toMatchObject({ kind: "conflict", reason: "Conflict" });
      expect(other.message).toContain(
        `the UID in the precondition (${uid}) does not match the UID in record (${made.metadata.uid})`,
      );
      await failureOf(cluster.delete(configMaps, ref("exact-delete"), { resourceVersion: "1" }), "conflict");
      await cluster.delete(configMaps, ref("exact-delete"), {
        uid: made.metadata.uid ?? "",
        resourceVersion: made.metadata.resourceVersion ?? "",
      });
      await failureOf(cluster.get(configMaps, ref("exact-delete")), "not-found");
    });

    test("waits for finalizers", async () => {
      const { cluster } = contract();
      await make("final", { finalizers: ["example.com/hold"] });
      await cluster.delete(configMaps, ref("final"));
      const held = await cluster.get(configMaps, ref("final"));
      expect(held.metadata.deletionTimestamp).toMatch(/Z$/);
      expect(at(held, "metadata", "deletionGracePeriodSeconds")).toBe(0);
      await cluster.delete(configMaps, ref("final"));
      const changed = await cluster.patch(configMaps, ref("final"), {
        type: "merge",
        body: { data: { a: "1" } },
      });
      expect(changed.data).toEqual({ a: "1" });
      const more = { metadata: { finalizers: ["example.com/hold", "example.com/more"] } };
      await failureOf(
        cluster.patch(configMaps, ref("final"), { type: "merge", body: more }),
        "invalid",
        "forbidden",
      );
      await cluster.patch(configMaps, ref("final"), {
        type: "merge",
        body: { metadata: { finalizers: null } },
      });
      await failureOf(cluster.get(configMaps, ref("final")), "not-found");
    });

    test("removes many by selector", async () => {
      const { cluster, http, namespace } = contract();
      for (const name of ["many-1", "many-2"]) await make(name, { labels: { many: "yes" } });
      await make("many-not");
      await http({
        method: "DELETE",
        path: `/api/v1/namespaces/${namespace}/configmaps`,
        query: { labelSelector: "many=yes" },
      });
      await gone("many-1");
      await gone("many-2");
      await cluster.get(configMaps, ref("many-not"));
    });
  });

  describe("garbage collection", () => {
    test("in the background: dependents follow, but not those with another owner", async () => {
      const { cluster } = contract();
      const owner = await make("gc-owner");
      const second = await make("gc-second");
      await make("gc-child", { ownerReferences: [ownedBy(owner)] });
      await make("gc-both", { ownerReferences: [ownedBy(owner), ownedBy(second)] });
      await cluster.delete(configMaps, ref("gc-owner"));
      await failureOf(cluster.get(configMaps, ref("gc-owner")), "not-found");
      await gone("gc-child");
      await cluster.get(configMaps, ref("gc-both"));
      await cluster.delete(configMaps, ref("gc-second"));
      await gone("gc-both");
    });

    test("takes dependents of an owner that never was", async () => {
      const owner = {
        ...configMap("", "ghost"),
        metadata: { name: "ghost", uid: "00000000-0000-4000-8000-000000000001" },
      };
      await make("gc-ghost", { ownerReferences: [ownedBy(owner)] });
      await gone("gc-ghost");
    });

    test("in the foreground: the owner waits for dependents that block it", async () => {
      const { cluster } = contract();
      const owner = await make("fg-owner");
      await make("fg-child", {
        ownerReferences: [ownedBy(owner, true)],
        finalizers: ["example.com/hold"],
      });
      // The collector must know of the dependent before the owner goes.
      await new Promise((resolve) => setTimeout(resolve, 500));
      await cluster.delete(configMaps, ref("fg-owner"), { propagation: "Foreground" });
      await eventually(async () => {
        const child = await cluster.get(configMaps, ref("fg-child"));
        expect(child.metadata.deletionTimestamp).toBeDefined();
      });
      const waiting = await cluster.get(configMaps, ref("fg-owner"));
      expect(waiting.metadata.finalizers).toEqual(["foregroundDeletion"]);
      expect(waiting.metadata.deletionTimestamp).toBeDefined();
      await cluster.patch(configMaps, ref("fg-child"), {
        type: "merge",
        body: { metadata: { finalizers: null } },
      });
      await gone("fg-owner");
    });

    test("orphaning: dependents stay and lose their owner", async () => {
      const { cluster } = contract();
      const owner = await make("or-owner");
      await make("or-child", { ownerReferences: [ownedBy(owner)] });
      await new Promise((resolve) => setTimeout(resolve, 500));
      await cluster.delete(configMaps, ref("or-owner"), { propagation: "Orphan" });
      await gone("or-owner");
      await eventually(async () => {
        const child = await cluster.get(configMaps, ref("or-child"));
        expect(child.metadata.ownerReferences ?? []).toEqual([]);
        expect(child.metadata.deletionTimestamp).toBeUndefined();
      });
    });

    test("takes a Deployment's ReplicaSets and pods with it", async () => {
      const { cluster, namespace } = contract();
      await cluster.create(deployments, deployment(namespace, "cascading"));
      const labelSelector = "app=cascading";
      await eventually(async () => {
        expect((await cluster.list(resources.pods, { namespace, labelSelector })).items).toHaveLength(1);
      });
      await cluster.delete(deployments, ref("cascading"));
      await eventually(async () => {
        for (const resource of [resources.replicaSets, resources.pods]) {
          expect((await cluster.list(resource, { namespace, labelSelector })).items).toEqual([]);
        }
      });
    });
  });
}
