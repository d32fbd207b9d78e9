import { beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { isKubeObject } from "../../../src/cluster/json.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { resourceOf } from "../../../src/cluster/resource.ts";
import { printedInstallation } from "../../../src/installation/print.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const image = `registry.example.internal/platform@sha256:${"a".repeat(64)}`;

const waveSchema = z.object({
  kind: z.string(),
  metadata: z.object({ annotations: z.record(z.string(), z.string()) }),
});

const kindsIn = (text: string) => [...text.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind);

/** Without the line that says what printed it. */
const documents = (text: string) => text.slice(text.indexOf("---"));

/** All of it, once: it is long. */
let text = "";
beforeAll(async () => {
  text = await printedInstallation({ image, version: "1.2.3" }, "all");
});

test("the manifests are always the same", async () => {
  expect(await printedInstallation({ image, version: "1.2.3" }, "all")).toBe(text);
});

test("every object is named once and can be written, compared and removed; none is a Secret", () => {
  const objects = parseAllDocuments(text).map((document): KubeObject => {
    const value: unknown = document.toJS();
    if (!isKubeObject(value)) throw new Error("a document is no Kubernetes object");
    return value;
  });
  const keys = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
  expect(new Set(keys).size).toBe(keys.length);
  expect(objects.map(({ kind }) => kind)).not.toContain("Secret");
  for (const object of objects) expect(resourceOf(object).kind).toBe(object.kind);
});

test("types and namespace come before what needs them, rights and operator before the guardrails", () => {
  const kinds = kindsIn(text);
  const order = [
    kinds.lastIndexOf("CustomResourceDefinition"),
    kinds.indexOf("Namespace"),
    kinds.indexOf("Standards"),
    kinds.lastIndexOf("ClusterRoleBinding"),
    kinds.indexOf("Deployment"),
    kinds.indexOf("ValidatingAdmissionPolicy"),
  ];
  expect(order).not.toContain(-1);
  expect(order).toEqual(order.toSorted((one, other) => one - other));
});

test("Argo CD writes each part once all before it are healthy", () => {
  const waves = new Map<string, number>();
  for (const document of parseAllDocuments(text)) {
    const { kind, metadata } = waveSchema.parse(document.toJS());
    const wave = Number(metadata.annotations["argocd.argoproj.io/sync-wave"]);
    waves.set(kind, Math.max(wave, waves.get(kind) ?? 0));
  }
  const order = ["CustomResourceDefinition", "Namespace", "Standards", "ClusterRole", "Deployment"].map(
    (kind) => waves.get(kind) ?? Number.NaN,
  );
  expect([...order, waves.get("ValidatingAdmissionPolicy")]).toEqual([0, 1, 2, 3, 4, 5]);
});

test("the operator runs the image that was named, else the one in the standards, else there is none", async () => {
  const standards = standardsSchema.parse({
    operator: { image: "registry.example.internal/of/standards:1" },
  });
  expect(await printedInstallation({ image, standards }, "all")).toContain(`image: ${image}`);
  expect(await printedInstallation({ standards }, "all")).toContain(
    "image: registry.example.internal/of/standards:1",
  );
  const none = kindsIn(await printedInstallation({}, "all"));
  expect(none).not.toContain("Deployment");
  expect(none).toContain("ServiceAccount");
});

test("the resource types alone are the first of all manifests", async () => {
  const types = await printedInstallation({ version: "1.2.3" }, "types");
  expect(new Set(kindsIn(types))).toEqual(new Set(["CustomResourceDefinition"]));
  expect(documents(text).startsWith(documents(types))).toBe(true);
});
