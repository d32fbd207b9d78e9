import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apply } from "../../src/cluster/cluster.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { type Resource, resources } from "../../src/cluster/resource.ts";
import { uniqueName } from "../cluster/connection.ts";
import { at, type Contract, configMap, eventually, failureOf } from "./contract.ts";

/** Custom resources: schema, defaults, pruning, rules, subresources, columns; and the end of a definition. */
export function definitions(contract: () => Contract): void {
  const definition = resources.customResourceDefinitions;
  const group = `${uniqueName("contract")}.example.com`;
  const widgets: Resource = { group, version: "v1", plural: "widgets", kind: "Widget", namespaced: true };

  const widget = (
    name: string,
    spec: Record<string, unknown>,
    fields: Partial<KubeObject> = {},
  ): KubeObject => ({
    apiVersion: `${group}/v1`,
    kind: "Widget",
    metadata: { name, namespace: contract().namespace },
    spec: { size: "small", ...spec },
    ...fields,
  });
  const ref = (name: string) => ({ namespace: contract().namespace, name });
  const install = async (of: Resource) => {
    const { cluster } = contract();
    await apply(cluster, definition, widgetDefinition(of));
    await eventually(async () => {
      const conditions = at(
        await cluster.get(definition, { name: `${of.plural}.${of.group}` }),
        "status",
        "conditions",
      );
      expect(conditions).toContainEqual(expect.objectContaining({ type: "Established", status: "True" }));
      await cluster.list(of);
    });
  };

  beforeAll(() => install(widgets));
  afterAll(() => contract().cluster.delete(definition, { name: `widgets.${group}` }));

  describe("custom resources", () => {
    test("are served and discovered", async () => {
      const { cluster } = contract();
      await eventually(async () => expect(await cluster.serves(widgets, { refresh: true })).toBe(true));
      expect(await cluster.serves({ ...widgets, plural: "gadgets" })).toBe(false);
      expect(await cluster.serves({ ...widgets, group: `none.${group}` })).toBe(false);
      expect(await cluster.discover()).toContainEqual(widgets);
    });

    test("get defaults and a generation", async () => {
      const { cluster } = contract();
      const made = await cluster.create(widgets, widget("defaulted", { store: {} }));
      expect(made.spec).toEqual({ size: "small", replicas: 2, store: { keep: true } });
      expect(made.metadata.generation).toBe(1);
    });

    test("lose what the schema does not know, or refuse it", async () => {
      const { cluster, http } = contract();
      const object = widget("pruned", { surprise: 1, free: { any: { thing: 1 } } });
      const error = await failureOf(cluster.create(widgets, object), "invalid");
      expect(error).toMatchObject({ status: 400, reason: "BadRequest" });
      expect(error.message).toContain('unknown field "spec.surprise"');
      const { body } = await http({
        method: "POST",
        path: `/apis/${group}/v1/namespaces/${contract().namespace}/widgets`,
        body: object,
      });
      expect(at(body, "spec")).toEqual({ size: "small", replicas: 2, free: { any: { thing: 1 } } });
    });

    test("name each field that is wrong", async () => {
      const { cluster } = contract();
      const object = widget("wrong", { size: "huge", replicas: 0, code: "no", when: 5, tags: ["a", "a"] });
      const error = await failureOf(cluster.create(widgets, object), "invalid");
      expect(error).toMatchObject({ status: 422, reason: "Invalid" });
      expect(error.message).toContain(`Widget.${group} "wrong" is invalid`);
      expect(error.causes.map(({ field }) => field).sort()).toEqual(
        expect.arrayContaining(["spec.code", "spec.replicas", "spec.size", "spec.when"]),
      );
      expect(error.message).toContain(
        'spec.size: Unsupported value: "huge": supported values: "small", "large"',
      );
      expect(error.message).toContain("spec.replicas: Invalid value: 0: ");
      expect(error.message).toContain("should be greater than or equal to 1");
      const without = { ...widget("without", {}), spec: {} };
      const missing = await failureOf(cluster.create(widgets, without), "invalid");
      expect(missing.message).toContain("spec.size: Required value");
      const twice = await failureOf(
        cluster.create(widgets, widget("twice", { tags: ["a", "a"] })),
        "invalid",
      );
      expect(twice.message).toContain("spec.tags[1]: Duplicate value");
    });

    test("keep rules between fields and over time", async () => {
      const { cluster } = contract();
      await cluster.create(widgets, widget("ruled", { owner: "team-a" }));
      const moved = await failureOf(
        cluster.patch(widgets, ref("ruled"), { type: "merge", body: { spec: { owner: "team-b" } } }),
        "invalid",
      );
      expect(moved).toMatchObject({ status: 422, reason: "Invalid" });
      expect(moved.message).toContain("spec.owner: Invalid value:");
      expect(moved.message).toContain("owner is immutable");
      const large = await failureOf(cluster.create(widgets, widget("big", { replicas: 9 })), "invalid");
      expect(large.message).toContain("small widgets have at most 5 replicas");
      await cluster.create(widgets, widget("big", { replicas: 9, size: "large" }));
    });

    test("need a version when replaced", async () => {
      const { cluster } = contract();
      const made = await cluster.create(widgets, widget("replaced", {}));
      const { resourceVersion: _, ...metadata } = made.metadata;
      const error = await failureOf(cluster.replace(widgets, { ...made, metadata }), "invalid");
      expect(error.message).toContain(
        "metadata.resourceVersion: Invalid value: 0: must be specified for an update",
      );
      const replaced = await cluster.replace(widgets, { ...made, spec: { size: "large", replicas: 3 } });
      expect(replaced.metadata.generation).toBe(2);
      await failureOf(cluster.replace(widgets, { ...made, spec: { size: "small" } }), "conflict");
    });

    test("keep status apart", async () => {
      const { cluster } = contract();
      const made = await cluster.create(widgets, widget("statused", {}, { status: { ready: 9 } }));
      expect(made.status).toBeUndefined();
      const patched = await cluster.patch(
        widgets,
        ref("statused"),
        { type: "merge", body: { status: { ready: 1 }, spec: { replicas: 4 } } },
        { subresource: "status" },
      );
      expect(patched).toMatchObject({
        status: { ready: 1 },
        spec: { replicas: 2 },
        metadata: { generation: 1 },
      });
      const main = await cluster.patch(widgets, ref("statused"), {
        type: "merge",
        body: { status: { ready: 5 }, spec: { replicas: 3 } },
      });
      expect(main).toMatchObject({
        status: { ready: 1 },
        spec: { replicas: 3 },
        metadata: { generation: 2 },
      });
      const stale = { ...patched, status: { ready: 7 } };
      await failureOf(cluster.replace(widgets, stale, { subresource: "status" }), "conflict");
      const replaced = await cluster.replace(
        widgets,
        { ...main, status: { ready: 7 } },
        { subresource: "status" },
      );
      expect(replaced.status).toEqual({ ready: 7 });
      const wrong = await failureOf(
        cluster.replace(widgets, { ...replaced, status: { ready: "x" } }, { subresource: "status" }),
      );
      expect(wrong.kind).toBe("invalid");
    });

    test("are applied with lists merged by key, and conditions by type", async () => {
      const { cluster, http } = contract();
      const parts = (...names: string[]) => names.map((name) => ({ name, port: 80 }));
      await apply(cluster, widgets, widget("keyed", { parts: parts("a", "b") }));
      await http({
        method: "PATCH",
        path: `/apis/${group}/v1/namespaces/${contract().namespace}/widgets/keyed`,
        query: { fieldManager: "other" },
        contentType: "application/apply-patch+yaml",
        body: widget("keyed", { parts: parts("c") }),
      });
      const after = await apply(cluster, widgets, widget("keyed", { parts: parts("b") }));
      expect(at(after, "spec", "parts")).toEqual(parts("b", "c"));
      const condition = (type: string) => ({ type, status: "True" });
      const status = { conditions: [condition("Ready"), condition("Synced")] };
      const applied = await apply(cluster, widgets, widget("keyed", { parts: parts("b") }));
      expect(applied.metadata.resourceVersion).toBe(after.metadata.resourceVersion);
      const { spec: _, ...rest } = widget("keyed", {});
      const written = await cluster.patch(
        widgets,
        ref("keyed"),
        { type: "apply", body: { ...rest, status }, force: true },
        { subresource: "status" },
      );
      expect(at(written, "status", "conditions")).toEqual(status.conditions);
      expect(written.metadata.managedFields).toContainEqual(
        expect.objectContaining({ manager: "platform", operation: "Apply", subresource: "status" }),
      );
      expect(at(written, "spec", "parts")).toEqual(parts("b", "c"));
    });

    test("have no owners, labels or annotations left once those that were applied are given up", async () => {
      const { cluster } = contract();
      const plain = widget("given-up", {});
      const owner = { apiVersion: "v1", kind: "ConfigMap", name: "nobody", uid: "1-2-3" };
      const metadata = { labels: { a: "1" }, annotations: { b: "2" }, ownerReferences: [owner] };
      await apply(cluster, widgets, { ...plain, metadata: { ...plain.metadata, ...metadata } });
      const after = await apply(cluster, widgets, plain);
      for (const field of Object.keys(metadata)) expect(after.metadata).not.toHaveProperty(field);
    });

    test("scale through their own paths", async () => {
      const { cluster } = contract();
      await cluster.create(widgets, widget("scaling", {}));
      const scaled = await cluster.patch(
        widgets,
        ref("scaling"),
        { type: "merge", body: { spec: { replicas: 4 } } },
        { subresource: "scale" },
      );
      expect(scaled).toMatchObject({ kind: "Scale", spec: { replicas: 4 } });
      expect(at(await cluster.get(widgets, ref("scaling")), "spec", "replicas")).toBe(4);
    });

    test("show their own columns", async () => {
      const { cluster, namespace } = contract();
      await cluster.create(widgets, widget("columned", { replicas: 3 }));
      const table = await cluster.listTable(widgets, { namespace, fieldSelector: "metadata.name=columned" });
      expect(table.columns.map(({ name }) => name)).toEqual(["Name", "Size", "Replicas", "Age"]);
      expect(table.rows[0]?.cells.slice(0, 3)).toEqual(["columned", "small", 3]);
    });

    test("are watched, selected and own other objects", async () => {
      const { cluster, namespace } = contract();
      const { resourceVersion } = await cluster.list(widgets, { namespace });
      const owner = await cluster.create(widgets, widget("owning", {}));
      for await (const event of cluster.watch(widgets, { namespace, resourceVersion })) {
        if (event.type === "BOOKMARK" || event.object.metadata.name !== "owning") continue;
        expect(event).toMatchObject({ type: "ADDED", object: { kind: "Widget" } });
        break;
      }
      const { apiVersion, kind } = owner;
      const { name, uid } = owner.metadata;
      const ownerReferences = [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }];
      await cluster.create(
        resources.configMaps,
        configMap(namespace, "owned-by-widget", { metadata: { ownerReferences } }),
      );
      await cluster.delete(widgets, ref("owning"));
      // A real collector learns of new types every 30 s only.
      const gone = () => failureOf(cluster.get(resources.configMaps, ref("owned-by-widget")), "not-found");
      await eventually(gone, 90_000);
    });

    test("go with their definition", async () => {
      const { cluster } = contract();
      const gadgets: Resource = { ...widgets, group: `gone.${group}` };
      await install(gadgets);
      await eventually(() =>
        cluster.create(gadgets, { ...widget("doomed", {}), apiVersion: `${gadgets.group}/v1` }),
      );
      await cluster.delete(definition, { name: `widgets.${gadgets.group}` });
      await eventually(() =>
        failureOf(cluster.get(definition, { name: `widgets.${gadgets.group}` }), "not-found"),
      );
      await eventually(() => failureOf(cluster.get(gadgets, ref("doomed")), "not-found"));
      await eventually(async () => expect(await cluster.serves(gadgets, { refresh: true })).toBe(false));
    });
  });

  test("definitions must have a structural schema and their own name", async () => {
    const { cluster } = contract();
    const object = widgetDefinition({ ...widgets, group: `bad.${group}` });
    const renamed = { ...object, metadata: { name: "widgets" } };
    const error = await failureOf(cluster.create(definition, renamed), "invalid");
    expect(error.causes.map(({ field }) => field)).toContain("metadata.name");
  });

  test("a definition's schema has its types outside of allOf", async () => {
    const { cluster } = contract();
    const object = widgetDefinition({ ...widgets, group: `loose.${group}` });
    const text = JSON.stringify(object).replace(
      '"pattern":"^[A-Z]+$"',
      '"allOf":[{"type":"string","pattern":"^[A-Z]+$"}]',
    );
    const loose: KubeObject = JSON.parse(text);
    const error = await failureOf(cluster.create(definition, loose), "invalid");
    expect(error.message).toContain("allOf[0].type: Forbidden: must be empty to be structural");
  });
}

function widgetDefinition({ group, plural, kind }: Resource): KubeObject {
  const text = { type: "string" };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.ready" },
          },
          additionalPrinterColumns: [
            { name: "Size", type: "string", jsonPath: ".spec.size" },
            { name: "Replicas", type: "integer", jsonPath: ".spec.replicas" },
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          ],
          schema: {
            openAPIV3Schema: {
              type: "object",
              required: ["spec"],
              properties: {
                spec: {
                  type: "object",
                  required: ["size"],
                  properties: {
                    size: { ...text, enum: ["small", "large"] },
                    replicas: { type: "integer", minimum: 1, maximum: 100, default: 2 },
                    owner: {
                      ...text,
                      "x-kubernetes-validations": [
                        { rule: "self == oldSelf", message: "owner is immutable" },
                      ],
                    },
                    code: { ...text, pattern: "^[A-Z]+$", maxLength: 8 },
                    when: { ...text, format: "date-time" },
                    tags: { type: "array", items: text, "x-kubernetes-list-type": "set" },
                    store: { type: "object", properties: { keep: { type: "boolean", default: true } } },
                    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
                    parts: {
                      type: "array",
                      "x-kubernetes-list-type": "map",
                      "x-kubernetes-list-map-keys": ["name"],
                      items: {
                        type: "object",
                        required: ["name"],
                        properties: { name: text, port: { type: "integer" } },
                      },
                    },
                  },
                  "x-kubernetes-validations": [
                    {
                      rule: "self.size == 'large' || self.replicas <= 5",
                      message: "small widgets have at most 5 replicas",
                    },
                  ],
                },
                status: {
                  type: "object",
                  properties: {
                    ready: { type: "integer" },
                    conditions: {
                      type: "array",
                      "x-kubernetes-list-type": "map",
                      "x-kubernetes-list-map-keys": ["type"],
                      items: {
                        type: "object",
                        required: ["type", "status"],
                        properties: { type: text, status: text },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      ],
    },
  };
}
