import { z } from "zod";
import { operatorName, systemNamespace } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import type { Clock } from "../../provisioning/clock.ts";
import { operatorPresence } from "../../provisioning/operator-presence.ts";
import { type Finding, fail, type Look, look, ok, warn } from "./finding.ts";

const deploymentSchema = z.object({
  spec: z.object({
    replicas: z.number().default(1),
  }),
  status: z.object({ availableReplicas: z.number().default(0) }).default({ availableReplicas: 0 }),
});

const logs = `kubectl logs -n ${systemNamespace} deployment/${operatorName}`;

/** Whether somebody executes runs and looks after Applications. */
export function operatorFindings(cluster: Cluster, clock: Clock): Promise<readonly Finding[]> {
  // Asked once: where clocks differ, it looks for a while.
  const presence = operatorPresence(cluster, clock);
  presence.catch(() => {});
  return Promise.all([
    look("platform", "operator", async (): Promise<Look> => {
      const ref = { namespace: systemNamespace, name: operatorName };
      const deployment = deploymentSchema.safeParse(await find(cluster, resources.deployments, ref)).data;
      if (deployment === undefined && cluster.simulated)
        return ok("none: whoever asks executes, in the sandbox");
      if (deployment === undefined) {
        const { alive, holder } = await presence;
        if (alive && holder !== "") return ok("no Deployment; one works from elsewhere");
        return warn(
          "not installed: runs are executed by whoever asks and manages guardrails",
          "platform install --operator-image IMAGE",
        );
      }
      const { replicas } = deployment.spec;
      const { availableReplicas } = deployment.status;
      const told = `${availableReplicas} of ${replicas} available`;
      if (availableReplicas === 0) return fail(told, logs);
      return availableReplicas < replicas ? warn(told, logs) : ok(told);
    }),
    look("platform", "lease", async (): Promise<Look> => {
      const { alive, holder, renewedAt } = await presence;
      if (alive)
        return holder === ""
          ? { state: "unseen", text: "cannot be seen with your rights" }
          : ok(`held by ${holder}`);
      if (renewedAt === undefined) return ok("held by nobody: no operator has ever worked here");
      return warn(`held by nobody${holder === "" ? "" : `; last by ${holder}`}, renewed ${renewedAt}`, logs);
    }),
  ]);
}
