import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { isKubeObject } from "../../../src/cluster/json.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { resourceOf } from "../../../src/cluster/resource.ts";
import { printedInstallation } from "../../../src/installation/print.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const image = `registry.example.internal/platform@sha256:${"a".repeat(64)}`;

function objectsIn(text: string): readonly KubeObject[] {
  return parseAllDocuments(text).map((document) => {
    const value: unknown = document.toJS();
    if (!isKubeObject(value)) throw new Error("a document is no Kubernetes object");
    return value;
  });
}

test("the manifests are always the same, name every object once, and hold no Secret", async () => {
  const text = await printedInstallation({ image, version: "1.2.3" }, "all");
  expect(await printedInstallation({ image, version: "1.2.3" }, "all")).toBe(text);
  const objects = objectsIn(text);
  const keys = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
  expect(new Set(keys).size).toBe(keys.length);
  expect(objects.map(({ kind }) => kind)).not.toContain("Secret");
  // Whatever is printed can also be written, compared and removed.
  for (const object of objects) expect(resourceOf(object).kind).toBe(object.kind);
});

test("types and namespace come before what needs them, rights and operator before the guardrails", async () => {
  const kinds = objectsIn(await printedInstallation({ image }, "all")).map(({ kind }) => kind);
  const order = [
    kinds.lastIndexOf("CustomResourceDefinition"),
    kinds.indexOf("Namespace"),
    kinds.indexOf("Standards"),
    kinds.lastIndexOf("ClusterRoleBinding"),
    kinds.indexOf("Deployment"),
    kinds.indexOf("ValidatingAdmissionPolicy"),
  ];
  expect(order).not.toContain(-1);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
});

test("the operator runs the image that was named, else the one in the standards, else there is none", async () => {
  const inStandards = standardsSchema.parse({
    operator: { image: "registry.example.internal/of/standards:1" },
  });
  expect(await printedInstallation({ image, standards: inStandards }, "all")).toContain(`image: ${image}`);
  expect(await printedInstallation({ standards: inStandards }, "all")).toContain(
    "image: registry.example.internal/of",
  );
  const none = objectsIn(await printedInstallation({}, "all")).map(({ kind }) => kind);
  expect(none).not.toContain("Deployment");
  expect(none).toContain("ServiceAccount");
});

test("the resource types alone are the first of all manifests", async () => {
  const types = objectsIn(await printedInstallation({}, "types"));
  expect(types.map(({ kind }) => kind)).toEqual(types.map(() => "CustomResourceDefinition"));
  expect(objectsIn(await printedInstallation({}, "all")).slice(0, types.length)).toEqual(types);
});
