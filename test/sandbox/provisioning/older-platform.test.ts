import { afterAll, beforeAll, expect, test } from "vitest";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { composition } from "../../provisioning/composition.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

let stage: Awaited<ReturnType<typeof sandboxStage>>;
let made: Awaited<ReturnType<typeof composition>>;
beforeAll(async () => {
  stage = await sandboxStage();
  made = await composition(stage.cluster);
});
afterAll(async () => {
  await made?.close();
  await stage?.close();
});

test("a cluster whose definition of Run is older is said to be so, and holds nothing of what was tried", async () => {
  const path = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/writtenAt";
  await stage.cluster.patch(
    resources.customResourceDefinitions,
    { name: "runs.platform.company.com" },
    { type: "json", body: [{ op: "remove", path }] },
  );
  const request = serviceRequestSchema.parse({ name: "ledger", language: "go" });
  await expect(made.provisioner().create(request, { onFailure: "rollback" })).rejects.toMatchObject({
    kind: "refused",
    message: expect.stringContaining("is older than this program"),
    mend: expect.stringContaining("platform install"),
  });
  expect(await made.provisioner().list()).toEqual([]);
});

test("so is one that does not know the operation yet", async () => {
  const request = serviceRequestSchema.parse({ name: "vault", language: "go", database: "postgres" });
  const older = await sandboxStage();
  const there = await composition(older.cluster);
  try {
    await (await there.provisioner().create(request, { onFailure: "hold" })).finished;
    const path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/operation/enum";
    await older.cluster.patch(
      resources.customResourceDefinitions,
      { name: "runs.platform.company.com" },
      { type: "json", body: [{ op: "replace", path, value: ["create", "delete"] }] },
    );
    await expect(there.provisioner().backup(request.name, {})).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("is older than this program"),
    });
  } finally {
    await there.close();
    await older.close();
  }
});
