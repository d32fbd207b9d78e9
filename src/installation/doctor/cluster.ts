import { systemNamespace } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { resources } from "../../cluster/resource.ts";
import { type Finding, fail, look, ok, warn } from "./finding.ts";

/** Oldest minor version of Kubernetes 1 that can enforce the guardrails. */
const oldestMinor = 30;

/** Whether the cluster answers; without that nothing else of it can be looked at. */
export function connectionFinding(cluster: Cluster, now: () => number): Promise<Finding> {
  return look(
    "cluster",
    "connection",
    async () => {
      const began = now();
      const version = await cluster.version();
      const took = Math.round(now() - began);
      const minor = Number(/^v1\.(\d+)/.exec(version)?.[1]);
      if (minor < oldestMinor) {
        return fail(
          `Kubernetes ${version} cannot enforce guardrails, needs v1.${oldestMinor}`,
          "upgrade the cluster",
        );
      }
      return ok(`Kubernetes ${version}, answers in ${took} ms`);
    },
    { mend: "see that the cluster answers (VPN, proxy, credentials), then ask again" },
  );
}

/** Who asks, and what of the platform they may do. */
export function rightsFindings(cluster: Cluster): Promise<readonly Finding[]> {
  const may = (
    verb: string,
    { group, plural }: { readonly group: string; readonly plural: string },
    namespace?: string,
  ) => cluster.can({ verb, group, resource: plural, ...(namespace === undefined ? {} : { namespace }) });
  return Promise.all([
    look("cluster", "you", async () => {
      const { username, groups } = await cluster.whoAmI();
      const told = groups.filter((group) => !group.startsWith("system:"));
      return ok(told.length === 0 ? username : `${username} (${told.join(", ")})`);
    }),
    look("cluster", "rights", async () => {
      const [create, list, patch, manage] = await Promise.all([
        may("create", resources.runs, systemNamespace),
        may("list", resources.runs, systemNamespace),
        may("patch", resources.runs, systemNamespace),
        may("manage", resources.guardrails),
      ]);
      if (manage) return ok("you manage guardrails: you may install, and execute runs yourself");
      if (patch) return ok("you are on call: you may resume, retry and roll back runs");
      if (create) return ok("you may ask for runs of your team's services");
      if (list) return warn("you may look at runs, and ask for none", "ask to be made a member of a team");
      return fail(
        "you may neither ask for runs nor see them",
        "ask a platform engineer to be made a member of a team (standards: teams)",
      );
    }),
  ]);
}
