import { afterAll, beforeAll, expect, test } from "vitest";
import { wholeSpec } from "../../src/application/application.ts";
import { applicationOf } from "../../src/application/from-request.ts";
import { serviceNameSchema } from "../../src/application/names.ts";
import { resources } from "../../src/cluster/resource.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import { installDirectly } from "../../src/installation/directly.ts";
import { sandboxStandards } from "../../src/standards/sandbox-standards.ts";
import { sandboxStage } from "../provisioning/sandbox-stage.ts";

let stage: Awaited<ReturnType<typeof sandboxStage>>;
beforeAll(async () => {
  stage = await sandboxStage();
  await installDirectly(stage.cluster, { standards: sandboxStandards(), clock: systemTiming });
});
afterAll(() => stage?.close());

/** An Application with these data stores, and what an edit of it comes to. */
async function edited(name: string, stores: object, edit: object): Promise<unknown> {
  const { cluster } = stage;
  const namespace = `app-${name}`;
  await cluster.create(resources.namespaces, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace },
  });
  const spec = wholeSpec({ image: "registry.example.internal/shop:1", ...stores }, "platform");
  await cluster.create(resources.applications, applicationOf(serviceNameSchema.parse(name), spec));
  const body = { spec: edit };
  return cluster.patch(resources.applications, { namespace, name }, { type: "merge", body });
}

const size = (cores: number) => ({ size: `db-custom-${cores}-8192` });

/** The same, where the operator has said this of its database. */
async function editedAfter(name: string, reason: string, edit: object): Promise<unknown> {
  const { cluster } = stage;
  const ref = { namespace: `app-${name}`, name };
  await edited(name, { database: { type: "postgres" } }, { replicas: 3 });
  const condition = {
    ...{ type: "DatabaseReady", status: "False", reason, message: "" },
    lastTransitionTime: "2026-01-05T10:00:00Z",
  };
  const said = { type: "merge", body: { status: { conditions: [condition] } } } as const;
  await cluster.patch(resources.applications, ref, said, { subresource: "status" });
  return cluster.patch(resources.applications, ref, { type: "merge", body: { spec: { database: edit } } });
}

test("where a data store runs is decided once, while there is nothing of it", async () => {
  const there = edited("shop-g", { database: { type: "postgres" } }, { database: { provider: "cloudsql" } });
  await expect(there).rejects.toThrow(/provider of a database that exists/);
  const provider = { provider: "cloudsql" };
  await expect(editedAfter("shop-h", "RollingOut", provider)).rejects.toThrow(/provider of a database/);
  await expect(editedAfter("shop-i", "NotRequested", provider)).resolves.toMatchObject({
    spec: { database: provider },
  });
  await expect(editedAfter("shop-j", "ProvisioningRefused", provider)).resolves.toBeDefined();
});

test("an edit that nothing would follow is refused with what to do instead", async () => {
  const atGoogle = { type: "postgres", provider: "cloudsql" };
  const other = edited("shop-a", { database: { ...atGoogle, ...size(1) } }, { database: size(2) });
  await expect(other).rejects.toThrow(/size of a database at Google .* gcloud sql instances patch/);
  const first = edited("shop-b", { database: atGoogle }, { database: size(2) });
  await expect(first).rejects.toThrow(/size of a database at Google/);
  const cache = { type: "redis", provider: "memorystore", version: "7.0" };
  const version = edited("shop-c", { cache }, { cache: { version: "7.2" } });
  await expect(version).rejects.toThrow(/version of a cache at Google/);
});

test("what is in the cluster is edited, and at Google all that is not of the data store", async () => {
  const here = edited("shop-d", { database: { type: "postgres", ...size(1) } }, { database: size(2) });
  await expect(here).resolves.toMatchObject({ spec: { database: size(2) } });
  const atGoogle = { type: "postgres", provider: "cloudsql", ...size(1) };
  await expect(edited("shop-e", { database: atGoogle }, { replicas: 4 })).resolves.toBeDefined();
  await expect(edited("shop-f", { database: atGoogle }, { database: null })).resolves.toBeDefined();
});
