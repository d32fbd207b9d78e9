import { z } from "zod";
import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resourceOf, resources } from "../../cluster/resource.ts";
import { cleanText } from "../../cluster/text.ts";

/** `status.typeChecking` of a ValidatingAdmissionPolicy: what the cluster finds wrong with its expressions. */
const statusSchema = z.object({
  typeChecking: z
    .object({
      expressionWarnings: z.array(z.object({ fieldRef: z.string(), warning: z.string() })).default([]),
    })
    .optional(),
});

/** What the cluster finds wrong with admission policies, a sentence each; none where all can be computed. */
export async function policyWarnings(
  cluster: Cluster,
  policies: readonly KubeObject[],
): Promise<readonly string[]> {
  const found = await Promise.all(
    policies
      .filter(({ kind }) => kind === resources.validatingAdmissionPolicies.kind)
      .map(async (policy) => {
        const { name } = policy.metadata;
        const live = await find(cluster, resourceOf(policy), { name });
        const warnings = statusSchema.safeParse(live?.status).data?.typeChecking?.expressionWarnings ?? [];
        return warnings.map(({ fieldRef, warning }) =>
          cleanText(`${name}: ${fieldRef}: ${warning.split("\n")[0] ?? ""}`),
        );
      }),
  );
  return found.flat();
}
