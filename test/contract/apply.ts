import { describe, expect, test } from "vitest";
import { apply } from "../../src/cluster/cluster.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { resources } from "../../src/cluster/resource.ts";
import { at, type Contract, configMap, deployment, failureOf } from "./contract.ts";

/** Server-side apply: who owns which field, and what happens to fields nobody applies any more. */
export function serverSideApply(contract: () => Contract): void {
  const { configMaps, deployments } = resources;

  /** Applies as somebody else. */
  const applyAs = async (manager: string, object: KubeObject, plural: string, force = false) => {
    const { http } = contract();
    const base = object.apiVersion === "v1" ? "/api/v1" : `/apis/${object.apiVersion}`;
    return http({
      method: "PATCH",
      path: `${base}/namespaces/${object.metadata.namespace}/${plural}/${object.metadata.name}`,
      query: { fieldManager: manager, ...(force ? { force: "true" } : {}) },
      contentType: "application/apply-patch+yaml",
      body: object,
    });
  };

  describe("apply", () => {
    test("makes what is missing with 201, answers 200 afterwards, and writes nothing the second time", async () => {
      const { namespace } = contract();
      const object = configMap(namespace, "applied", { data: { a: "1" } });
      const first = await applyAs("platform", object, "configmaps");
      const second = await applyAs("platform", object, "configmaps");
      expect([first.status, second.status]).toEqual([201, 200]);
      expect(at(second.body, "metadata", "resourceVersion")).toBe(
        at(first.body, "metadata", "resourceVersion"),
      );
    });

    test("books the fields under our name", async () => {
      const { cluster, namespace } = contract();
      const object = configMap(namespace, "booked", {
        data: { a: "1" },
        metadata: { labels: { team: "x" } },
      });
      const applied = await apply(cluster, configMaps, object);
      expect(applied.metadata.managedFields).toEqual([
        {
          manager: "platform",
          operation: "Apply",
          apiVersion: "v1",
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
          fieldsType: "FieldsV1",
          fieldsV1: { "f:data": { "f:a": {} }, "f:metadata": { "f:labels": { "f:team": {} } } },
        },
      ]);
    });

    test("removes what we applied before and apply no more", async () => {
      const { cluster, namespace } = contract();
      const labels = { keep: "1", drop: "1" };
      await apply(
        cluster,
        configMaps,
        configMap(namespace, "shrunk", { data: { a: "1", b: "2" }, metadata: { labels } }),
      );
      const shrunk = await apply(
        cluster,
        configMaps,
        configMap(namespace, "shrunk", { data: { a: "1" }, metadata: { labels: { keep: "1" } } }),
      );
      expect(shrunk.data).toEqual({ a: "1" });
      expect(shrunk.metadata.labels).toEqual({ keep: "1" });
    });

    test("leaves what others wrote", async () => {
      const { cluster, namespace } = contract();
      const object = configMap(namespace, "shared", { data: { a: "1" } });
      await apply(cluster, configMaps, object);
      await applyAs("other", configMap(namespace, "shared", { data: { theirs: "1", a: "1" } }), "configmaps");
      await contract().http({
        method: "PATCH",
        path: `/api/v1/namespaces/${namespace}/configmaps/shared`,
        query: { fieldManager: "editor" },
        contentType: "application/merge-patch+json",
        body: { data: { edited: "1" } },
      });
      const after = await apply(cluster, configMaps, configMap(namespace, "shared", { data: {} }));
      // `a` is still applied by the other manager, so dropping it here does not remove it.
      expect(after.data).toEqual({ a: "1", theirs: "1", edited: "1" });
    });

    test("refuses a field of another manager, naming it, and takes it with force", async () => {
      const { cluster, namespace } = contract();
      await applyAs("other", configMap(namespace, "disputed", { data: { a: "1" } }), "configmaps");
      const ours = configMap(namespace, "disputed", { data: { a: "2" } });
      const error = await failureOf(apply(cluster, configMaps, ours, { force: false }));
      expect(error).toMatchObject({
        kind: "conflict",
        status: 409,
        reason: "Conflict",
        message: 'Apply failed with 1 conflict: conflict with "other": .data.a',
        causes: [{ reason: "FieldManagerConflict", message: 'conflict with "other"', field: ".data.a" }],
      });
      const taken = await apply(cluster, configMaps, ours);
      expect(taken.data).toEqual({ a: "2" });
      const lost = await failureOf(
        applyAs("other", configMap(namespace, "disputed", { data: { a: "1" } }), "configmaps"),
      );
      expect(lost.message).toBe('Apply failed with 1 conflict: conflict with "platform": .data.a');
    });

    test("has no dispute over equal values", async () => {
      const { cluster, namespace } = contract();
      const object = configMap(namespace, "agreed", { data: { a: "1" } });
      await applyAs("other", object, "configmaps");
      const agreed = await apply(cluster, configMaps, object, { force: false });
      expect(agreed.metadata.managedFields).toHaveLength(2);
    });

    test("disputes a field that was written without apply", async () => {
      const { cluster, http, namespace } = contract();
      await apply(cluster, configMaps, configMap(namespace, "edited", { data: { a: "1" } }));
      await http({
        method: "PATCH",
        path: `/api/v1/namespaces/${namespace}/configmaps/edited`,
        query: { fieldManager: "kubectl-edit" },
        contentType: "application/merge-patch+json",
        body: { data: { a: "2" } },
      });
      const again = configMap(namespace, "edited", { data: { a: "1" } });
      const error = await failureOf(apply(cluster, configMaps, again, { force: false }), "conflict");
      expect(error.message).toContain('conflict with "kubectl-edit" using v1');
      expect(error.message).toContain(".data.a");
      expect((await apply(cluster, configMaps, again)).data).toEqual({ a: "1" });
    });

    test("merges containers, ports and environment by their keys", async () => {
      const { cluster, namespace } = contract();
      const ref = { namespace, name: "merging" };
      await apply(cluster, deployments, deployment(namespace, "merging", { replicas: 0 }));
      const sidecar = {
        ...deployment(namespace, "merging"),
        spec: {
          selector: { matchLabels: { app: "merging" } },
          template: {
            metadata: { labels: { app: "merging" } },
            spec: {
              containers: [
                { name: "app", env: [{ name: "B", value: "2" }], ports: [{ containerPort: 9090 }] },
                { name: "sidecar", image: "sidecar:1" },
              ],
            },
          },
        },
      };
      await applyAs("other", sidecar, "deployments");
      const both = await cluster.get(deployments, ref);
      expect(at(both, "spec", "template", "spec", "containers")).toMatchObject([
        {
          name: "app",
          image: "registry.example/app:1",
          env: [
            { name: "A", value: "1" },
            { name: "B", value: "2" },
          ],
          ports: [{ containerPort: 8080 }, { containerPort: 9090 }],
        },
        { name: "sidecar", image: "sidecar:1" },
      ]);
      const changed = deployment(namespace, "merging", { replicas: 0 });
      const after = await apply(cluster, deployments, {
        ...changed,
        spec: {
          replicas: 0,
          selector: { matchLabels: { app: "merging" } },
          template: {
            metadata: { labels: { app: "merging" } },
            spec: { containers: [{ name: "app", image: "registry.example/app:2" }] },
          },
        },
      });
      expect(at(after, "spec", "template", "spec", "containers")).toMatchObject([
        {
          name: "app",
          image: "registry.example/app:2",
          env: [{ name: "B", value: "2" }],
          ports: [{ containerPort: 9090 }],
        },
        { name: "sidecar" },
      ]);
    });

    test("leaves the replicas to whoever scales, once we apply none", async () => {
      const { cluster, namespace } = contract();
      const ref = { namespace, name: "autoscaled" };
      const { replicas: _, ...spec } = { replicas: 0, ...Object(deployment(namespace, "autoscaled").spec) };
      await apply(cluster, deployments, { ...deployment(namespace, "autoscaled"), spec });
      await cluster.patch(
        deployments,
        ref,
        { type: "merge", body: { spec: { replicas: 0 } } },
        { subresource: "scale" },
      );
      const after = await apply(cluster, deployments, { ...deployment(namespace, "autoscaled"), spec });
      expect(at(after, "spec", "replicas")).toBe(0);
    });

    test("takes a resourceVersion as a precondition", async () => {
      const { cluster, namespace } = contract();
      const made = await apply(cluster, configMaps, configMap(namespace, "exact", { data: { a: "1" } }));
      const { resourceVersion } = made.metadata;
      const write = (a: string) =>
        apply(
          cluster,
          configMaps,
          configMap(namespace, "exact", { data: { a }, metadata: { resourceVersion } }),
        );
      await write("2");
      await failureOf(write("3"), "conflict");
    });

    test("makes with a resourceVersion what is missing, and only that", async () => {
      const { cluster, namespace } = contract();
      const unlessThere = (a: string) =>
        apply(
          cluster,
          configMaps,
          configMap(namespace, "first", { data: { a }, metadata: { resourceVersion: "1" } }),
        );
      const made = await unlessThere("1");
      expect(made.metadata.resourceVersion).not.toBe("1");
      await failureOf(unlessThere("2"), "conflict");
      const left = await cluster.get(configMaps, { namespace, name: "first" });
      expect(left.data).toEqual({ a: "1" });
    });

    test("takes a UID as a precondition, so that nothing is made anew", async () => {
      const { cluster, namespace } = contract();
      const uid = "00000000-0000-4000-8000-000000000000";
      const object = configMap(namespace, "gone", { data: { a: "1" }, metadata: { uid } });
      const error = await failureOf(apply(cluster, configMaps, object), "conflict");
      expect(error.message).toContain("uid mismatch");
    });

    test("refuses managedFields and another name", async () => {
      const { cluster, http, namespace } = contract();
      const managed = configMap(namespace, "managed", { metadata: { managedFields: [{ manager: "x" }] } });
      const error = await failureOf(apply(cluster, configMaps, managed), "invalid");
      expect(error.message).toContain("metadata.managedFields must be nil");
      const renamed = await failureOf(
        http({
          method: "PATCH",
          path: `/api/v1/namespaces/${namespace}/configmaps/one`,
          query: { fieldManager: "platform" },
          contentType: "application/apply-patch+yaml",
          body: configMap(namespace, "two"),
        }),
      );
      expect(renamed).toMatchObject({ kind: "invalid", status: 400 });
    });

    test("demands a field manager", async () => {
      const { http, namespace } = contract();
      const error = await failureOf(
        http({
          method: "PATCH",
          path: `/api/v1/namespaces/${namespace}/configmaps/unmanaged`,
          contentType: "application/apply-patch+yaml",
          body: configMap(namespace, "unmanaged"),
        }),
      );
      expect(error.status).toBe(422);
      expect(error.causes.map(({ field }) => field)).toEqual(["fieldManager"]);
    });

    test("refuses fields it does not know", async () => {
      const { cluster, namespace } = contract();
      const object = { ...configMap(namespace, "unknown"), surprise: 1 };
      const error = await failureOf(apply(cluster, configMaps, object), "invalid");
      expect(error.message).toContain("surprise");
    });

    test("in a dry run tells of disputes and writes nothing", async () => {
      const { cluster, namespace } = contract();
      const object = configMap(namespace, "rehearsed", { data: { a: "1" } });
      expect((await apply(cluster, configMaps, object, { dryRun: true })).data).toEqual({ a: "1" });
      await failureOf(cluster.get(configMaps, { namespace, name: "rehearsed" }), "not-found");
      await applyAs("other", object, "configmaps");
      const ours = configMap(namespace, "rehearsed", { data: { a: "2" } });
      await failureOf(apply(cluster, configMaps, ours, { force: false, dryRun: true }), "conflict");
    });
  });
}
