import { systemNamespace } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { resources } from "../cluster/resource.ts";
import { type Action, actionByAnnotation } from "./obey-actions.ts";
import type { RunName } from "./run.ts";
import type { RunSpec } from "./run-record.ts";

/**
 * Asks whoever executes a run, or is to go on with it, to do something with it.
 * @throws ClusterError
 */
export async function askAction(
  cluster: Cluster,
  run: RunName,
  action: Action,
  actionOptions?: RunSpec["actionOptions"],
): Promise<void> {
  const { username } = await cluster.whoAmI();
  await cluster.patch(
    resources.runs,
    { namespace: systemNamespace, name: run },
    {
      type: "merge",
      body: {
        metadata: { annotations: { [actionByAnnotation]: username } },
        // What was asked for before is not mixed with it.
        spec: { action, actionOptions: actionOptions ?? null },
      },
    },
  );
}
