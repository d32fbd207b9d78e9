import type { Cluster } from "../cluster/cluster.ts";
import type { StepId } from "./plan.ts";

/** The same cluster, its requests marked with the step that asks: a sandbox can then fault one step's calls. */
export function clusterForStep(cluster: Cluster, step: StepId): Cluster {
  return {
    context: cluster.context,
    simulated: cluster.simulated,
    get: (resource, ref, options) => cluster.get(resource, ref, { ...options, step }),
    list: (resource, options) => cluster.list(resource, { ...options, step }),
    listMetadata: (resource, options) => cluster.listMetadata(resource, { ...options, step }),
    listTable: (resource, options) => cluster.listTable(resource, { ...options, step }),
    create: (resource, object, options) => cluster.create(resource, object, { ...options, step }),
    replace: (resource, object, options) => cluster.replace(resource, object, { ...options, step }),
    patch: (resource, ref, patch, options) => cluster.patch(resource, ref, patch, { ...options, step }),
    delete: (resource, ref, options) => cluster.delete(resource, ref, { ...options, step }),
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
