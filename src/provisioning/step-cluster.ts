import type { Cluster, RequestOptions } from "../cluster/cluster.ts";
import type { CodeHost } from "../delivery/code-host.ts";
import { fencing, type Ownership } from "./ownership.ts";
import type { StepId } from "./plan.ts";

/** Whoever may write only while the run is its own. */
export type Fence = Pick<Ownership, "ensure">;

/**
 * The same cluster for one step: its requests are marked with the step that asks, so that a sandbox can fault one
 * step's calls; a write begins only while the run is this engine's, and takes no longer than it stays so.
 */
export function clusterForStep(cluster: Cluster, step: StepId, fence: Fence): Cluster {
  const writing = <Options extends RequestOptions>(options: Options | undefined) => ({
    ...options,
    step,
    timeoutMs: Math.min(options?.timeoutMs ?? fencing.writeTimeoutMs, fencing.writeTimeoutMs),
  });
  return {
    context: cluster.context,
    simulated: cluster.simulated,
    get: (resource, ref, options) => cluster.get(resource, ref, { ...options, step }),
    list: (resource, options) => cluster.list(resource, { ...options, step }),
    listMetadata: (resource, options) => cluster.listMetadata(resource, { ...options, step }),
    listTable: (resource, options) => cluster.listTable(resource, { ...options, step }),
    async create(resource, object, options) {
      await fence.ensure();
      return cluster.create(resource, object, writing(options));
    },
    async replace(resource, object, options) {
      await fence.ensure();
      return cluster.replace(resource, object, writing(options));
    },
    async patch(resource, ref, patch, options) {
      await fence.ensure();
      return cluster.patch(resource, ref, patch, writing(options));
    },
    async delete(resource, ref, options) {
      await fence.ensure();
      return cluster.delete(resource, ref, writing(options));
    },
    watch: (resource, options) => cluster.watch(resource, { ...options, step }),
    logs: (ref, options) => cluster.logs(ref, { ...options, step }),
    can: (question, options) => cluster.can(question, { ...options, step }),
    whoAmI: (options) => cluster.whoAmI({ ...options, step }),
    serves: (resource, options) => cluster.serves(resource, { ...options, step }),
    serviceProxy: (target, options) => cluster.serviceProxy(target, { ...options, step }),
    discover: (options) => cluster.discover({ ...options, step }),
    version: (options) => cluster.version({ ...options, step }),
    close: () => cluster.close(),
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
