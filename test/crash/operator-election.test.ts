import { test } from "vitest";
import { resources } from "../../src/cluster/resource.ts";
import { takeOver } from "../operator/takeover.ts";
import { endpointOf, sandboxStage } from "../provisioning/sandbox-stage.ts";

test("two operators, one stopped, one killed: the other takes over, and nobody writes out of turn", async () => {
  const { cluster, sandbox, close } = await sandboxStage();
  try {
    for (const name of ["platform-system", "toys"]) {
      await cluster.create(resources.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }
    await takeOver(cluster, { connection: endpointOf(sandbox), namespace: "toys", lease: "toys" });
  } finally {
    await close();
  }
});
