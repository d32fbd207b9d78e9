import type { Cluster } from "../../src/cluster/cluster.ts";
import { ClusterError } from "../../src/cluster/errors.ts";
import type { CodeHost } from "../../src/delivery/code-host.ts";
import { DeliveryError } from "../../src/delivery/delivery-error.ts";
import type { StepId } from "../../src/provisioning/plan.ts";

/** How a call fails: before it reached the server, or after the server did it and the answer was lost. */
export type FaultTime = "before" | "after";

export interface Fault {
  readonly step: StepId;
  /** The how-manieth write of the step fails; 1 for the first. */
  readonly write: number;
  readonly time: FaultTime;
  /** Calls that fail from then on; default all. */
  readonly times?: number;
}

function failure(kind: "forbidden" | "unreachable"): ClusterError {
  return kind === "forbidden"
    ? new ClusterError("forbidden", "denied the request: a test's fault", { status: 403 })
    : new ClusterError("unreachable", "the connection was reset: a test's fault");
}

/** The same cluster, where one step's writes (for `verify`, which writes nothing: reads) fail from the n-th on. */
export function faulty(
  cluster: Cluster,
  { step, write, time, times = Number.POSITIVE_INFINITY }: Fault,
  kind: "forbidden" | "unreachable" = "forbidden",
): Cluster {
  let calls = 0;
  async function passing<T>(marked: string | undefined, call: () => Promise<T>): Promise<T> {
    if (marked !== step) return call();
    calls += 1;
    if (calls < write || calls >= write + times) return call();
    if (time === "after") await call();
    throw failure(kind);
  }
  const reads = step === "verify";
  return {
    ...forwarding(cluster),
    get: (resource, ref, options) =>
      passing(reads ? options?.step : undefined, () => cluster.get(resource, ref, options)),
    create: (resource, object, options) =>
      passing(options?.step, () => cluster.create(resource, object, options)),
    replace: (resource, object, options) =>
      passing(options?.step, () => cluster.replace(resource, object, options)),
    patch: (resource, ref, patch, options) =>
      passing(options?.step, () => cluster.patch(resource, ref, patch, options)),
    delete: (resource, ref, options) => passing(options?.step, () => cluster.delete(resource, ref, options)),
  };
}

/** Every method of a cluster, passed on: what a decorator starts from. */
export function forwarding(cluster: Cluster): Cluster {
  return {
    context: cluster.context,
    simulated: cluster.simulated,
    get: (...args) => cluster.get(...args),
    list: (...args) => cluster.list(...args),
    listMetadata: (...args) => cluster.listMetadata(...args),
    listTable: (...args) => cluster.listTable(...args),
    create: (...args) => cluster.create(...args),
    replace: (...args) => cluster.replace(...args),
    patch: (...args) => cluster.patch(...args),
    delete: (...args) => cluster.delete(...args),
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

/** The same code host, where the n-th commit fails. */
export function faultyHost(host: CodeHost, { write, time }: Pick<Fault, "write" | "time">): CodeHost {
  let commits = 0;
  return {
    urlOf: (...args) => host.urlOf(...args),
    check: (...args) => host.check(...args),
    exists: (...args) => host.exists(...args),
    create: (...args) => host.create(...args),
    log: (...args) => host.log(...args),
    foreignCommits: (...args) => host.foreignCommits(...args),
    remove: (...args) => host.remove(...args),
    async commit(...args) {
      commits += 1;
      if (commits !== write) return host.commit(...args);
      if (time === "after") await host.commit(...args);
      throw new DeliveryError("refused", "push refused: a test's fault", "");
    },
  };
}
