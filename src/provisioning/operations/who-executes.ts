import type { Cluster } from "../../cluster/cluster.ts";
import type { Standards } from "../../standards/standards.ts";
import type { Clock } from "../clock.ts";
import { ProvisioningError } from "../errors.ts";
import { type OperatorPresence, operatorPresence } from "../operator-presence.ts";
import type { Execution } from "../runs/run.ts";

/**
 * Who executes what is asked for now: a living operator, or else this process, where whoever uses it may do what
 * guardrails forbid everybody else. On a sandbox that is everybody.
 * @throws ProvisioningError `rights` where nobody would execute it; ClusterError
 */
export async function whoExecutes(
  cluster: Cluster,
  clock: Clock,
  standards: Pick<Standards, "contact">,
): Promise<Execution["by"]> {
  const presence = await operatorPresence(cluster, clock);
  if (presence.alive) return "operator";
  if (cluster.simulated) return "this-process";
  const mayExecute = await cluster.can({
    verb: "manage",
    group: "platform.company.com",
    resource: "guardrails",
  });
  if (mayExecute) return "this-process";
  throw new ProvisioningError(
    "rights",
    `no operator is running on ${cluster.context}${lastSeen(presence)}, and without one only platform engineers execute runs`,
    `ask ${standards.contact ?? `a platform engineer of ${cluster.context}`} to start it; see what is wrong with: platform doctor`,
  );
}

/** ` (last seen 2026-11-23T04:00:00Z)`; empty where nobody ever was. */
export function lastSeen({ renewedAt }: OperatorPresence): string {
  return renewedAt === undefined ? "" : ` (last seen ${renewedAt.replace(/\.\d+Z$/, "Z")})`;
}
