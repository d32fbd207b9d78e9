import { systemNamespace } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { resources } from "../../cluster/resource.ts";
import { type Action, actionByAnnotation } from "../engine/obey-actions.ts";
import { ProvisioningError } from "../errors.ts";
import type { RunName } from "../runs/run.ts";
import type { RunSpec } from "../runs/run-record.ts";
import { verbTitles } from "./verbs.ts";

/**
 * Asks whoever executes a run, or is to go on with it, to do something with it.
 * @throws ProvisioningError `rights` where whoever asks may not; ClusterError
 */
export async function askAction(
  cluster: Cluster,
  run: RunName,
  action: Action,
  actionOptions?: RunSpec["actionOptions"],
): Promise<void> {
  const { username } = await cluster.whoAmI();
  const body = {
    metadata: { annotations: { [actionByAnnotation]: username } },
    // What was asked for before is not mixed with it.
    spec: { action, actionOptions: actionOptions ?? null },
  };
  try {
    await cluster.patch(resources.runs, { namespace: systemNamespace, name: run }, { type: "merge", body });
  } catch (error) {
    if (!isClusterError(error, "forbidden")) throw error;
    // Without the right itself there is nothing more to say; a guardrail says why.
    const lacksRight = / cannot \w+ resource /.test(error.message);
    throw new ProvisioningError(
      "rights",
      lacksRight
        ? `on-call alone may ${verbTitles[action]} a run, and ${username} is not`
        : `${username} may not ${verbTitles[action]} run ${run}: ${error.message}`,
      `on-call may: platform run ${action} ${run}`,
      error,
    );
  }
}
