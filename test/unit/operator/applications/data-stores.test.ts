import { expect, test } from "vitest";
import { providerAnnotation } from "../../../../src/application/names.ts";
import { type Resource, resources } from "../../../../src/cluster/resource.ts";
import { dataStoresAmong } from "../../../../src/operator/applications/applications-controller.ts";
import { childOf } from "../../../../src/operator/applications/child.ts";

function stored(resource: Resource, name: string, annotations: Readonly<Record<string, string>> = {}) {
  const metadata = { name, namespace: "app-vault", annotations };
  const object = { apiVersion: "v1", kind: resource.kind, metadata };
  return { resource, key: `app-vault/${name}`, child: childOf(object) };
}

test("what is kept of an Application names data stores in the cluster and outside of it", () => {
  const kept = dataStoresAmong([
    stored(resources.deployments, "vault"),
    stored(resources.configMaps, "vault-db", { [providerAnnotation]: "cloudsql" }),
    stored(resources.configMaps, "vault-cache"),
    stored(resources.statefulSets, "vault-cache"),
  ]);
  expect(kept).toEqual(["vault-cache", "vault-db (cloudsql)"]);
});
