import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromFieldsV1, paths, toFieldsV1 } from "../../../src/sandbox/apply/field-set.ts";
import { applyConfiguration, managedAfterUpdate } from "../../../src/sandbox/apply/managed-fields.ts";
import { compare, fieldsOf, merge } from "../../../src/sandbox/apply/typed.ts";
import { isObject, type JsonObject, listAt, objectAt, textAt } from "../../../src/sandbox/json.ts";
import { decodeBuiltin } from "../../../src/sandbox/schema/decode.ts";
import { definition } from "../../../src/sandbox/schema/schema.ts";

const schema = definition("io.k8s.api.apps.v1.Deployment");
const name = fc.constantFrom("a", "b", "c");
const container = fc.record(
  {
    name,
    image: fc.constantFrom("x:1", "x:2"),
    env: fc.uniqueArray(fc.record({ name, value: fc.constantFrom("1", "2") }), {
      selector: (entry) => entry.name,
      minLength: 1,
    }),
    ports: fc.uniqueArray(fc.record({ containerPort: fc.constantFrom(80, 81) }), {
      selector: (port) => port.containerPort,
      minLength: 1,
    }),
  },
  { requiredKeys: ["name"] },
);
const spec = fc.record(
  {
    replicas: fc.constantFrom(1, 2),
    paused: fc.boolean(),
    selector: fc.record({ matchLabels: fc.dictionary(name, name, { minKeys: 1 }) }),
    containers: fc.uniqueArray(container, { selector: (entry) => entry.name, minLength: 1 }),
  },
  { requiredKeys: ["containers"] },
);
const deployment = spec.map(
  ({ containers, ...rest }): JsonObject => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop" },
    spec: { ...rest, template: { spec: { containers } } },
  }),
);

const time = "2026-01-01T00:00:00Z";
const writer = (manager: string) => ({ manager, subresource: undefined, time });
const bare: JsonObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop" },
};
/** As the server does it: a built-in type drops the nulls that removals leave. */
const applyAs = (manager: string, live: JsonObject, applied: JsonObject, force = false) =>
  decodeBuiltin(
    applyConfiguration(live, applied, schema, writer(manager), { force, statusApart: true }),
    schema,
  ).object;
const ownersOf = (object: JsonObject) => listAt(object, "metadata", "managedFields").filter(isObject);
const withoutOwners = (object: JsonObject) => {
  const { managedFields: _, ...metadata } = objectAt(object, "metadata") ?? {};
  return { ...object, metadata };
};

describe("server-side apply", () => {
  test("the same configuration twice changes nothing", () => {
    fc.assert(
      fc.property(deployment, (applied) => {
        const once = applyAs("one", bare, applied);
        expect(applyAs("one", once, applied)).toEqual(once);
      }),
    );
  });

  test("the last configuration is what a single manager gets, whatever came before", () => {
    fc.assert(
      fc.property(deployment, deployment, (first, second) => {
        const live = applyAs("one", applyAs("one", bare, first), second);
        expect(compare(applyAs("one", bare, second), live, schema).changed.children.size).toBe(0);
        expect(fieldsOf(withoutOwners(live), schema)).toEqual(fieldsOf(second, schema));
      }),
    );
  });

  test("with force everything applied holds, and no field has two owners of different values", () => {
    fc.assert(
      fc.property(deployment, deployment, (first, second) => {
        const live = applyAs("two", applyAs("one", bare, first), second, true);
        expect(merge(withoutOwners(live), second, schema)).toEqual(withoutOwners(live));
      }),
    );
  });

  test("a field that another manager set is disputed by name", () => {
    const containers = [{ name: "app", image: "x:1", env: [{ name: "A", value: "1" }] }];
    const live = applyAs("one", bare, { ...bare, spec: { template: { spec: { containers } } } });
    const other = [{ name: "app", env: [{ name: "A", value: "2" }] }];
    expect(() =>
      applyAs("two", live, { ...bare, spec: { template: { spec: { containers: other } } } }),
    ).toThrow(
      'Apply failed with 1 conflict: conflict with "one": .spec.template.spec.containers[name="app"].env[name="A"].value',
    );
  });

  test("an update takes what it changes from those who applied it", () => {
    const live = applyAs("one", bare, { ...bare, spec: { replicas: 2, paused: true } });
    const changed = { ...live, spec: { replicas: 5, paused: true } };
    const managedFields = managedAfterUpdate(live, changed, schema, writer("scaler"), true);
    const owned = Object.fromEntries(
      managedFields.map((entry) => [textAt(entry, "manager"), paths(fromFieldsV1(entry.fieldsV1))]),
    );
    expect(owned).toEqual({ one: [".spec.paused"], scaler: [".spec.replicas"] });
  });

  test("what the journal of ownership says survives being written and read", () => {
    fc.assert(
      fc.property(deployment, (applied) => {
        const [entry] = ownersOf(applyAs("one", bare, applied));
        expect(toFieldsV1(fromFieldsV1(entry?.fieldsV1))).toEqual(entry?.fieldsV1);
      }),
    );
  });
});
