import type { Cluster } from "../cluster/cluster.ts";
import { resources } from "../cluster/resource.ts";

const ownResources = [resources.applications, resources.standards, resources.runs, resources.guardrails];

/** Whether the cluster serves everything `platform install` brings. Asks discovery, nothing else. */
export async function isInstalled(
  cluster: Cluster,
  options: { readonly refresh?: boolean; readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  const [first, ...others] = ownResources;
  if (first === undefined || !(await cluster.serves(first, options))) return false;
  const { refresh: _, ...cached } = options;
  return (await Promise.all(others.map((resource) => cluster.serves(resource, cached)))).every(Boolean);
}
