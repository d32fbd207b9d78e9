import { describe, expect, test } from "vitest";
import { resources } from "../../src/cluster/resource.ts";
import { at, type Contract, configMap, deployment, failureOf } from "./contract.ts";

/** Lists: pages, selectors, metadata only, tables. */
export function lists(contract: () => Contract): void {
  const { configMaps, deployments } = resources;
  const make = async (set: string, count: number) => {
    const { cluster, namespace } = contract();
    const names = Array.from({ length: count }, (_, index) => `${set}-${index}`);
    for (const [index, name] of names.entries()) {
      const labels = { set, parity: index % 2 === 0 ? "even" : "odd", ...(index === 0 ? { first: "" } : {}) };
      await cluster.create(
        configMaps,
        configMap(namespace, name, { metadata: { labels }, data: { a: "1" } }),
      );
    }
    return names;
  };
  const namesOf = (list: { readonly items: readonly { readonly metadata: { readonly name: string } }[] }) =>
    list.items.map(({ metadata }) => metadata.name);

  describe("pages", () => {
    test("cover everything once, in order, at one version", async () => {
      const { cluster, namespace } = contract();
      const names = await make("paged", 5);
      const seen: string[] = [];
      const versions = new Set<string>();
      const remaining: (number | undefined)[] = [];
      let token: string | undefined;
      do {
        const page = await cluster.list(configMaps, {
          namespace,
          labelSelector: "set=paged",
          limit: 2,
          ...(token === undefined ? {} : { continue: token }),
        });
        seen.push(...namesOf(page));
        versions.add(page.resourceVersion);
        remaining.push(page.remainingItemCount);
        token = page.continue;
        // What comes or goes between two pages is not in them.
        if (seen.length === 2) {
          await cluster.create(
            configMaps,
            configMap(namespace, "paged-9", { metadata: { labels: { set: "paged" } } }),
          );
        }
      } while (token !== undefined);
      expect(seen).toEqual(names);
      expect(versions.size).toBe(1);
      // With a selector the server does not count what remains.
      expect(remaining).toEqual([undefined, undefined, undefined]);
    });

    test("say how many objects remain", async () => {
      const { cluster } = contract();
      const page = await cluster.list(resources.namespaces, { limit: 1 });
      expect(page.items).toHaveLength(1);
      expect(page.remainingItemCount).toBeGreaterThan(0);
      expect(page.items[0]).toMatchObject({ apiVersion: "v1", kind: "Namespace" });
    });

    test("are refused for a token that is none", async () => {
      const { cluster, namespace } = contract();
      await failureOf(cluster.list(configMaps, { namespace, limit: 1, continue: "nonsense" }), "invalid");
    });

    test("are empty, not an error, in a namespace that does not exist", async () => {
      const { cluster } = contract();
      const list = await cluster.list(configMaps, { namespace: "nobody-lives-here" });
      expect(list.items).toEqual([]);
      expect(list.resourceVersion).toMatch(/^\d+$/);
    });

    test("come from the watch cache too", async () => {
      const { cluster, namespace } = contract();
      const list = await cluster.list(configMaps, { namespace, resourceVersion: "0" });
      expect(list.resourceVersion).toMatch(/^\d+$/);
    });
  });

  describe("selectors", () => {
    test("choose by label", async () => {
      const { cluster, namespace } = contract();
      await make("chosen", 4);
      const choose = async (selector: string) =>
        namesOf(await cluster.list(configMaps, { namespace, labelSelector: `set=chosen,${selector}` }));
      expect(await choose("parity=even")).toEqual(["chosen-0", "chosen-2"]);
      expect(await choose("parity==odd")).toEqual(["chosen-1", "chosen-3"]);
      expect(await choose("parity!=even")).toEqual(["chosen-1", "chosen-3"]);
      expect(await choose("parity in (even, odd)")).toHaveLength(4);
      expect(await choose("parity notin (even)")).toEqual(["chosen-1", "chosen-3"]);
      expect(await choose("first")).toEqual(["chosen-0"]);
      expect(await choose("!first")).toHaveLength(3);
      expect(await choose("first!=x")).toHaveLength(4);
    });

    test("choose by field", async () => {
      const { cluster, namespace } = contract();
      await make("fielded", 2);
      const choose = async (fieldSelector: string) =>
        namesOf(
          await cluster.list(configMaps, {
            ...(fieldSelector.includes("namespace") ? {} : { namespace }),
            labelSelector: "set=fielded",
            fieldSelector,
          }),
        );
      expect(await choose("metadata.name=fielded-1")).toEqual(["fielded-1"]);
      expect(await choose("metadata.name!=fielded-1")).toEqual(["fielded-0"]);
      expect(await choose(`metadata.namespace=${namespace}`)).toHaveLength(2);
    });

    test("are refused where they are wrong", async () => {
      const { cluster, namespace } = contract();
      await failureOf(cluster.list(configMaps, { namespace, labelSelector: "a in b" }), "invalid");
      const error = await failureOf(
        cluster.list(configMaps, { namespace, fieldSelector: "data.a=1" }),
        "invalid",
      );
      expect(error.message).toContain("data.a");
    });
  });

  describe("metadata only", () => {
    test("leaves out the rest", async () => {
      const { cluster, namespace } = contract();
      await make("light", 1);
      const list = await cluster.listMetadata(configMaps, { namespace, labelSelector: "set=light" });
      const [item] = list.items;
      expect(item).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "light-0" } });
      expect(item?.data).toBeUndefined();
      expect(item?.metadata.labels).toMatchObject({ set: "light" });
      expect(item?.metadata.uid).toBeDefined();
    });
  });

  describe("tables", () => {
    test("have kubectl's columns", async () => {
      const { cluster, namespace } = contract();
      await make("tabled", 1);
      await cluster.create(deployments, deployment(namespace, "tabled", { replicas: 0 }));
      const maps = await cluster.listTable(configMaps, { namespace, labelSelector: "set=tabled" });
      expect(maps.columns.map(({ name }) => name)).toEqual(["Name", "Data", "Age"]);
      expect(maps.rows[0]?.cells.slice(0, 2)).toEqual(["tabled-0", 1]);
      expect(maps.rows[0]?.metadata).toMatchObject({ name: "tabled-0", namespace });
      const columns = async (resource: (typeof resources)[keyof typeof resources]) => {
        const table = await cluster.listTable(resource, { limit: 1 });
        return table.columns.filter(({ priority }) => priority === 0).map(({ name }) => name);
      };
      expect(await columns(deployments)).toEqual(["Name", "Ready", "Up-to-date", "Available", "Age"]);
      expect(await columns(resources.pods)).toEqual(["Name", "Ready", "Status", "Restarts", "Age"]);
      expect(await columns(resources.replicaSets)).toEqual(["Name", "Desired", "Current", "Ready", "Age"]);
      expect(await columns(resources.statefulSets)).toEqual(["Name", "Ready", "Age"]);
      expect(await columns(resources.namespaces)).toEqual(["Name", "Status", "Age"]);
      expect(await columns(resources.secrets)).toEqual(["Name", "Type", "Data", "Age"]);
      expect(await columns(resources.services)).toEqual([
        "Name",
        "Type",
        "Cluster-IP",
        "External-IP",
        "Port(s)",
        "Age",
      ]);
      expect(await columns(resources.jobs)).toEqual(["Name", "Status", "Completions", "Duration", "Age"]);
      expect(await columns(resources.events)).toEqual(["Last Seen", "Type", "Reason", "Object", "Message"]);
      expect((await columns(resources.persistentVolumeClaims)).slice(0, 4)).toEqual([
        "Name",
        "Status",
        "Volume",
        "Capacity",
      ]);
    });

    test("carry the whole object when asked", async () => {
      const { http, namespace } = contract();
      await make("whole", 1);
      const { body } = await http({
        method: "GET",
        path: `/api/v1/namespaces/${namespace}/configmaps/whole-0`,
        query: { includeObject: "Object" },
        accept: "application/json;as=Table;g=meta.k8s.io;v=v1",
      });
      expect(at(body, "kind")).toBe("Table");
      expect(at(body, "rows", 0, "object", "data")).toEqual({ a: "1" });
    });
  });
}
