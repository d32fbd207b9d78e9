import { systemNamespace } from "../../application/names.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { resources } from "../../cluster/resource.ts";
import type { ExecutorOptions } from "../engine/execution.ts";
import { ProvisioningError } from "../errors.ts";
import type { RunState } from "../runs/run.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { askAction } from "./ask-action.ts";

/**
 * Cancels a run for somebody who may not have that done, where it is a request of their own that nobody has begun with.
 * @param refused - why they may not
 * @throws the refusal where somebody has begun with it, ProvisioningError as {@link withdrawRequest}, ClusterError
 */
export async function takeBackInstead(
  refused: unknown,
  options: Pick<ExecutorOptions, "cluster" | "standards" | "clock">,
  read: () => Promise<RunRecord>,
): Promise<RunState> {
  if (!(refused instanceof ProvisioningError) || refused.kind !== "rights") throw refused;
  const record = await read();
  if (record.state.phase !== "Pending") throw refused;
  await withdrawRequest(options, record);
  const message = `taken back by ${record.spec.requestedBy}`;
  const at = options.clock.now().toISOString();
  return { ...record.state, phase: "Refused", refusal: { kind: "usage", message, mend: "", at } };
}

/**
 * Takes back a request that nobody has begun with.
 * @throws ProvisioningError `busy` where somebody has, `rights` where whoever asks may not; ClusterError
 */
export async function withdrawRequest(
  { cluster, standards }: Pick<ExecutorOptions, "cluster" | "standards">,
  { name, state, object }: RunRecord,
): Promise<"withdrawn" | "marked"> {
  const begun = new ProvisioningError(
    "busy",
    `somebody has begun with run ${name} meanwhile`,
    `watch it: platform run watch ${name}`,
  );
  if (state.phase !== "Pending") throw begun;
  const { uid, resourceVersion } = object.metadata;
  const seen = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  try {
    await cluster.delete(resources.runs, { namespace: systemNamespace, name }, seen);
    return "withdrawn";
  } catch (error) {
    if (isClusterError(error, "conflict")) throw begun;
    if (!isClusterError(error, "forbidden")) throw error;
  }
  try {
    await askAction(cluster, name, "cancel");
    return "marked";
  } catch (error) {
    if (!(error instanceof ProvisioningError) || error.kind !== "rights") throw error;
    throw new ProvisioningError(
      "rights",
      `you may not take back run ${name}; it lapses where nobody begins with it within an hour`,
      `on-call may: platform run cancel ${name}; or ask ${standards.contact ?? `a platform engineer of ${cluster.context}`}`,
      error,
    );
  }
}
