import { describe, expect, test } from "vitest";
import { resources } from "../../src/cluster/resource.ts";
import { uniqueName } from "../cluster/connection.ts";
import { difference, inventory } from "../cluster/inventory.ts";
import { type Contract, configMap, eventually, namespaceObject } from "./contract.ts";

/** The count of everything before and after, by which other tests say that nothing was left behind. */
export function inventories(contract: () => Contract): void {
  describe("an inventory", () => {
    test("finds what came, whatever its type, and what is left", async () => {
      const { cluster } = contract();
      const about = uniqueName("counted");
      const before = await inventory(cluster, { about });
      expect([...before]).toEqual([]);
      await cluster.create(resources.namespaces, namespaceObject(about));
      await cluster.create(resources.configMaps, configMap(about, "settings"));
      await cluster.create(resources.clusterRoles, {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        metadata: { name: `${about}-reader` },
        rules: [],
      });
      const { added, removed } = difference(before, await inventory(cluster, { about }));
      expect(removed).toEqual([]);
      expect(added).toEqual(
        expect.arrayContaining([
          `clusterroles.rbac.authorization.k8s.io ${about}-reader`,
          `configmaps ${about}/settings`,
          `namespaces ${about}`,
        ]),
      );
      await cluster.delete(resources.namespaces, { name: about });
      await cluster.delete(resources.clusterRoles, { name: `${about}-reader` });
      await eventually(async () => {
        expect(difference(before, await inventory(cluster, { about })).added).toEqual([]);
      });
      const everything = await inventory(cluster);
      expect(everything.has("namespaces default")).toBe(true);
    });
  });
}
