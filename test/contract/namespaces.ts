import { describe, expect, test } from "vitest";
import { apply } from "../../src/cluster/cluster.ts";
import { resources } from "../../src/cluster/resource.ts";
import { uniqueName } from "../cluster/connection.ts";
import { at, type Contract, configMap, eventually, failureOf, namespaceObject } from "./contract.ts";

/** Namespaces: what they begin with, how they end, and what they ration. */
export function namespaces(contract: () => Contract): void {
  const { namespaces, configMaps, pods } = resources;

  describe("namespaces", () => {
    test("begin with a label, a service account and a certificate", async () => {
      const { cluster } = contract();
      const name = uniqueName("born");
      const made = await cluster.create(namespaces, namespaceObject(name));
      expect(made.metadata.labels).toEqual({ "kubernetes.io/metadata.name": name });
      expect(made).toMatchObject({ spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } });
      await eventually(async () => {
        await cluster.get(resources.serviceAccounts, { namespace: name, name: "default" });
        await cluster.get(configMaps, { namespace: name, name: "kube-root-ca.crt" });
      });
      await cluster.delete(namespaces, { name });
    });

    test("must exist before what is in them", async () => {
      const { cluster } = contract();
      const object = configMap("nobody-lives-here", "homeless");
      const writes = [() => cluster.create(configMaps, object), () => apply(cluster, configMaps, object)];
      for (const write of writes) {
        const error = await failureOf(write(), "not-found");
        expect(error.message).toBe('namespaces "nobody-lives-here" not found');
      }
    });

    test("refuse names that are none", async () => {
      const { cluster } = contract();
      for (const name of ["My_Service", "-a", "a".repeat(64)]) {
        const error = await failureOf(cluster.create(namespaces, namespaceObject(name)), "invalid");
        expect(error.causes.map(({ field }) => field)).toContain("metadata.name");
      }
    });

    test("end by emptying themselves, taking nothing new meanwhile", async () => {
      const { cluster } = contract();
      const name = uniqueName("ending");
      await cluster.create(namespaces, namespaceObject(name));
      await cluster.create(configMaps, configMap(name, "plain"));
      await cluster.create(
        configMaps,
        configMap(name, "held", { metadata: { finalizers: ["example.com/hold"] } }),
      );
      await cluster.delete(namespaces, { name });
      const ending = await cluster.get(namespaces, { name });
      expect(at(ending, "status", "phase")).toBe("Terminating");
      expect(ending.metadata.deletionTimestamp).toBeDefined();
      const error = await failureOf(cluster.create(configMaps, configMap(name, "late")), "forbidden");
      expect(error).toMatchObject({ status: 403, reason: "Forbidden" });
      expect(error.message).toBe(
        `configmaps "late" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
      );
      expect(error.causes).toEqual([
        {
          reason: "NamespaceTerminating",
          message: `namespace ${name} is being terminated`,
          field: "metadata.namespace",
        },
      ]);
      await eventually(() =>
        failureOf(cluster.get(configMaps, { namespace: name, name: "plain" }), "not-found"),
      );
      await eventually(async () => {
        const conditions = at(await cluster.get(namespaces, { name }), "status", "conditions");
        expect(conditions).toContainEqual(
          expect.objectContaining({ type: "NamespaceFinalizersRemaining", status: "True" }),
        );
      });
      await cluster.patch(
        configMaps,
        { namespace: name, name: "held" },
        { type: "merge", body: { metadata: { finalizers: null } } },
      );
      await eventually(() => failureOf(cluster.get(namespaces, { name }), "not-found"));
    });
  });

  describe("rationing", () => {
    const bare = (namespace: string, name: string) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace },
      spec: { containers: [{ name: "app", image: "registry.example/app:1" }] },
    });

    test("a LimitRange gives pods their requests, a quota counts them", async () => {
      const { cluster } = contract();
      const namespace = uniqueName("rationed");
      await cluster.create(namespaces, namespaceObject(namespace));
      await cluster.create(resources.resourceQuotas, {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "quota", namespace },
        spec: { hard: { "requests.cpu": "150m", pods: "5" } },
      });
      await eventually(async () => {
        const quota = await cluster.get(resources.resourceQuotas, { namespace, name: "quota" });
        expect(at(quota, "status", "hard")).toEqual({ "requests.cpu": "150m", pods: "5" });
      });
      // The service account comes a moment after its namespace, and pods need it.
      await eventually(() => cluster.get(resources.serviceAccounts, { namespace, name: "default" }));
      const without = await failureOf(cluster.create(pods, bare(namespace, "no-request")), "forbidden");
      expect(without.message).toContain("failed quota: quota: must specify requests.cpu");
      await cluster.create(resources.limitRanges, {
        apiVersion: "v1",
        kind: "LimitRange",
        metadata: { name: "limits", namespace },
        spec: { limits: [{ type: "Container", defaultRequest: { cpu: "100m" }, default: { cpu: "200m" } }] },
      });
      const first = await eventually(() => cluster.create(pods, bare(namespace, "first")));
      expect(at(first, "spec", "containers", 0, "resources")).toEqual({
        requests: { cpu: "100m" },
        limits: { cpu: "200m" },
      });
      const second = await failureOf(cluster.create(pods, bare(namespace, "second")), "forbidden");
      expect(second.message).toContain(
        "exceeded quota: quota, requested: requests.cpu=100m, used: requests.cpu=100m, limited: requests.cpu=150m",
      );
      await cluster.delete(namespaces, { name: namespace });
    });
  });
}
