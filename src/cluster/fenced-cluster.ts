import type { Cluster, RequestOptions } from "./cluster.ts";

/** Whoever may write only while something is its own. */
export interface Fence {
  /** Resolves when a write may begin. Rejects where it is not, or it cannot be found out. */
  ensure(): Promise<void>;
}

/** The same cluster; a write begins only when the fence lets it, and takes at most `writeTimeoutMs`. */
export function fencedCluster(cluster: Cluster, fence: Fence, writeTimeoutMs: number): Cluster {
  const within = <Options extends RequestOptions>(options: Options | undefined) => ({
    ...options,
    timeoutMs: Math.min(options?.timeoutMs ?? writeTimeoutMs, writeTimeoutMs),
  });
  return {
    context: cluster.context,
    simulated: cluster.simulated,
    get: (...args) => cluster.get(...args),
    list: (...args) => cluster.list(...args),
    listMetadata: (...args) => cluster.listMetadata(...args),
    listTable: (...args) => cluster.listTable(...args),
    async create(resource, object, options) {
      await fence.ensure();
      return cluster.create(resource, object, within(options));
    },
    async replace(resource, object, options) {
      await fence.ensure();
      return cluster.replace(resource, object, within(options));
    },
    async patch(resource, ref, patch, options) {
      await fence.ensure();
      return cluster.patch(resource, ref, patch, within(options));
    },
    async delete(resource, ref, options) {
      await fence.ensure();
      return cluster.delete(resource, ref, within(options));
    },
    watch: (...args) => cluster.watch(...args),
    logs: (...args) => cluster.logs(...args),
    can: (...args) => cluster.can(...args),
    whoAmI: (...args) => cluster.whoAmI(...args),
    serves: (...args) => cluster.serves(...args),
    serviceProxy: (...args) => cluster.serviceProxy(...args),
    discover: (...args) => cluster.discover(...args),
    version: (...args) => cluster.version(...args),
    close: () => cluster.close(),
  };
}
