import { vi } from "vitest";
import { serviceNameSchema } from "../../src/application/names.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { isClusterError } from "../../src/cluster/errors.ts";
import { resourceOf, resources } from "../../src/cluster/resource.ts";
import { guardrailObjects } from "../../src/guardrails/index.ts";
import { runName, runObject } from "../../src/provisioning/runs/run-record.ts";

/** Takes away the admission policies that another test has installed: for what is tested without them. */
export async function removeGuardrails(cluster: Cluster): Promise<void> {
  for (const object of guardrailObjects({})) {
    await cluster.delete(resourceOf(object), { name: object.metadata.name }).catch((error: unknown) => {
      if (!isClusterError(error, "not-found")) throw error;
    });
  }
  // The API server goes on asking a policy for a moment, and stops in the order in which they went: the one that lets
  // nobody make a run in another's name went after all that are about what a service is made of.
  const forged = runObject(runName("unguarded-scale-7f3k2"), {
    operation: "scale",
    service: serviceNameSchema.parse("unguarded"),
    team: "platform",
    parameters: { replicas: 2 },
    requestedBy: "somebody else",
  });
  await vi.waitFor(() => cluster.create(resources.runs, forged, { dryRun: true }), {
    timeout: 30_000,
    interval: 100,
  });
}
