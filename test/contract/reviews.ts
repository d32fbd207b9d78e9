import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../src/cluster/object.ts";
import { resources } from "../../src/cluster/resource.ts";
import { at, type Contract, failureOf } from "./contract.ts";

/** Questions about oneself, leases, events, the service proxy. */
export function reviews(contract: () => Contract): void {
  describe("reviews", () => {
    test("say what one may do and who one is", async () => {
      const { cluster, namespace } = contract();
      expect(await cluster.can({ verb: "create", group: "apps", resource: "deployments", namespace })).toBe(
        true,
      );
      expect(await cluster.can({ verb: "patch", group: "", resource: "pods", subresource: "status" })).toBe(
        true,
      );
      const { username, groups } = await cluster.whoAmI();
      expect(username).not.toBe("");
      expect(groups).toContain("system:authenticated");
      expect(await cluster.version()).toMatch(/^v1\.\d+/);
    });
  });

  describe("leases", () => {
    const lease = (name: string, spec: Record<string, unknown>): KubeObject => ({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace: contract().namespace },
      spec,
    });

    test("keep times to the microsecond, and let one of two holders win", async () => {
      const { cluster } = contract();
      const renewTime = "2026-01-02T03:04:05.678901Z";
      const spec = { holderIdentity: "a", leaseDurationSeconds: 15, acquireTime: renewTime, renewTime };
      const made = await cluster.create(resources.leases, lease("held", spec));
      expect(made.spec).toEqual(spec);
      const take = (holderIdentity: string) =>
        cluster.replace(resources.leases, { ...made, spec: { ...spec, holderIdentity } });
      const outcomes = await Promise.allSettled([take("b"), take("c")]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ kind: "conflict" });
      }
    });

    test("refuse times without microseconds", async () => {
      const { cluster } = contract();
      const spec = { holderIdentity: "a", renewTime: "2026-01-02T03:04:05Z" };
      await failureOf(cluster.create(resources.leases, lease("coarse", spec)), "invalid");
    });
  });

  describe("events", () => {
    test("are found by what they are about", async () => {
      const { cluster, namespace } = contract();
      const event = (name: string, about: string): KubeObject => ({
        apiVersion: "v1",
        kind: "Event",
        metadata: { name, namespace },
        involvedObject: { apiVersion: "v1", kind: "Pod", name: about, namespace },
        reason: "Tested",
        message: `about ${about}`,
        type: "Normal",
        count: 1,
        firstTimestamp: "2026-01-02T03:04:05Z",
        lastTimestamp: "2026-01-02T03:04:05Z",
        source: { component: "platform" },
      });
      await cluster.create(resources.events, event("e-one", "one"));
      await cluster.create(resources.events, event("e-two", "two"));
      const found = await cluster.list(resources.events, {
        namespace,
        fieldSelector: "involvedObject.name=two,involvedObject.kind=Pod,reason=Tested",
      });
      expect(found.items.map((item) => item.message)).toEqual(["about two"]);
    });
  });

  describe("the service proxy", () => {
    test("says that nothing is behind a service", async () => {
      const { cluster, namespace } = contract();
      await cluster.create(resources.services, {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "empty", namespace },
        spec: { selector: { app: "nobody" }, ports: [{ name: "http", port: 80 }] },
      });
      const error = await failureOf(
        cluster.serviceProxy({ namespace, service: "empty", port: "http", path: "/api/v1/targets" }),
        "server",
        "throttled",
      );
      expect(error.status).toBe(503);
      const missing = cluster.serviceProxy({ namespace, service: "nobody", port: 80, path: "/" });
      await failureOf(missing, "not-found");
    });
  });

  describe("what pods say", () => {
    test("is not there for a pod that is not", async () => {
      const { cluster, namespace } = contract();
      const read = async () => {
        for await (const line of cluster.logs({ namespace, name: "nobody" })) return line;
        return "nothing";
      };
      const error = await failureOf(read(), "not-found");
      expect(error.message).toBe('pods "nobody" not found');
    });
  });

  describe("subresources", () => {
    test("evict a pod", async () => {
      const { cluster, http, namespace } = contract();
      await cluster.create(resources.pods, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "evicted", namespace, labels: { app: "evicted" } },
        spec: { containers: [{ name: "app", image: "registry.example/app:1" }] },
      });
      const answer = await http({
        method: "POST",
        path: `/api/v1/namespaces/${namespace}/pods/evicted/eviction`,
        body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "evicted", namespace } },
      });
      expect(answer.status).toBe(201);
      expect(at(answer.body, "status")).toBe("Success");
    });
  });
}
