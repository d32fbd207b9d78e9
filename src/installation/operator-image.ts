import { z } from "zod";
import { operatorName, systemNamespace } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { find } from "../cluster/find.ts";
import { resources } from "../cluster/resource.ts";

const imageSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({ containers: z.array(z.object({ name: z.string(), image: z.string() })) }),
    }),
  }),
});

/** What the operator runs on a cluster now; undefined where there is none. @throws ClusterError */
export async function operatorImage(cluster: Cluster): Promise<string | undefined> {
  const ref = { namespace: systemNamespace, name: operatorName };
  const found = imageSchema.safeParse(await find(cluster, resources.deployments, ref));
  return found.data?.spec.template.spec.containers.find(({ name }) => name === "operator")?.image;
}
