import type { Cluster } from "../../cluster/cluster.ts";
import { type Fence, fencedCluster } from "../../cluster/fenced-cluster.ts";
import type { CodeHost } from "../../delivery/code-host.ts";
import type { StepId } from "../plan.ts";
import { fencing } from "../runs/ownership.ts";

/**
 * The same cluster for one step: its requests are marked with the step that asks, so that a sandbox can fault one
 * step's calls; a write begins only while the run is this engine's, and takes no longer than it stays so.
 */
export function clusterForStep(cluster: Cluster, step: StepId, fence: Fence): Cluster {
  const fenced = fencedCluster(cluster, fence, fencing.writeTimeoutMs);
  return {
    context: fenced.context,
    simulated: fenced.simulated,
    get: (resource, ref, options) => fenced.get(resource, ref, { ...options, step }),
    list: (resource, options) => fenced.list(resource, { ...options, step }),
    listMetadata: (resource, options) => fenced.listMetadata(resource, { ...options, step }),
    listTable: (resource, options) => fenced.listTable(resource, { ...options, step }),
    create: (resource, object, options) => fenced.create(resource, object, { ...options, step }),
    replace: (resource, object, options) => fenced.replace(resource, object, { ...options, step }),
    patch: (resource, ref, patch, options) => fenced.patch(resource, ref, patch, { ...options, step }),
    delete: (resource, ref, options) => fenced.delete(resource, ref, { ...options, step }),
    watch: (resource, options) => fenced.watch(resource, { ...options, step }),
    logs: (ref, options) => fenced.logs(ref, { ...options, step }),
    can: (question, options) => fenced.can(question, { ...options, step }),
    whoAmI: (options) => fenced.whoAmI({ ...options, step }),
    serves: (resource, options) => fenced.serves(resource, { ...options, step }),
    serviceProxy: (target, options) => fenced.serviceProxy(target, { ...options, step }),
    discover: (options) => fenced.discover({ ...options, step }),
    version: (options) => fenced.version({ ...options, step }),
    close: () => fenced.close(),
  };
}

/** The same code host, written to only while the run is this engine's. */
export function fencedHost(host: CodeHost, fence: Fence): CodeHost {
  return {
    urlOf: (...args) => host.urlOf(...args),
    check: (...args) => host.check(...args),
    exists: (...args) => host.exists(...args),
    log: (...args) => host.log(...args),
    foreignCommits: (...args) => host.foreignCommits(...args),
    async create(...args) {
      await fence.ensure();
      return host.create(...args);
    },
    async commit(...args) {
      await fence.ensure();
      return host.commit(...args);
    },
    async remove(...args) {
      await fence.ensure();
      return host.remove(...args);
    },
  };
}
