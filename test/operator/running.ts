import { performance } from "node:perf_hooks";
import type { Cluster, ObjectRef } from "../../src/cluster/cluster.ts";
import type { Resource } from "../../src/cluster/resource.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import {
  type ApplicationsOptions,
  createApplicationsControllers,
} from "../../src/operator/applications/index.ts";
import { createLog } from "../../src/operator/log.ts";
import type { Queue } from "../../src/operator/queue.ts";
import { Runner } from "../../src/operator/runner.ts";

/** The controllers of Applications at work in this process. */
export interface Running {
  /** Every write they have made, as `apply Deployment shop/ledger`; a status write is `status Application shop/ledger`. */
  readonly writes: readonly string[];
  /** Lines of their log. */
  readonly log: readonly string[];
  /** How often a key was looked at. */
  readonly reconciled: () => number;
  /** Nothing waits and nothing is in hand. */
  readonly isCalm: () => boolean;
  stop(): Promise<void>;
}

function described(verb: string, resource: Resource, { namespace, name }: ObjectRef): string {
  return `${verb} ${resource.kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** The same cluster, with every write told. */
function recorded(cluster: Cluster, write: (line: string) => void): Cluster {
  return {
    context: cluster.context,
    simulated: cluster.simulated,
    get: (...args) => cluster.get(...args),
    list: (...args) => cluster.list(...args),
    listMetadata: (...args) => cluster.listMetadata(...args),
    listTable: (...args) => cluster.listTable(...args),
    create(resource, object, options) {
      write(described("create", resource, object.metadata));
      return cluster.create(resource, object, options);
    },
    replace(resource, object, options) {
      write(described("replace", resource, object.metadata));
      return cluster.replace(resource, object, options);
    },
    patch(resource, ref, patch, options) {
      write(described(options?.subresource ?? (patch.type === "apply" ? "apply" : "patch"), resource, ref));
      return cluster.patch(resource, ref, patch, options);
    },
    delete(resource, ref, options) {
      write(described("delete", resource, ref));
      return cluster.delete(resource, ref, options);
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

/** Starts them, without an election; resolves once their caches are complete. */
export async function runControllers(
  cluster: Cluster,
  options: Partial<ApplicationsOptions> = {},
): Promise<Running> {
  const writes: string[] = [];
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), { level: "info", now: () => new Date() });
  const abort = new AbortController();
  let reconciled = 0;
  const queues: Pick<Queue, "depth" | "inHand">[] = [];
  const controllers = createApplicationsControllers({
    cluster: recorded(cluster, (line) => writes.push(line)),
    timing: systemTiming,
    log,
    identity: "test",
    namespacePatienceMs: 100,
    // On a busy machine as on a quiet one, a status says only what has come to rest.
    momentMs: 60_000,
    patienceMs: 200,
    credentialsMs: 200,
    ...options,
  });
  const runners = controllers.map(
    (controller) =>
      new Runner({
        controller,
        shards: 1,
        ours: new Set([0]),
        time: { ...systemTiming, steady: () => performance.now() },
        log,
        observe(queue) {
          queues.push(queue);
          return {
            added: () => undefined,
            taken: () => undefined,
            finished: () => undefined,
            retried: () => undefined,
            began: () => undefined,
            ended: () => reconciled++,
          };
        },
      }),
  );
  const running = Promise.all(runners.map((runner) => runner.run(abort.signal)));
  const deadline = Date.now() + 30_000;
  while (!runners.every(({ synced }) => synced)) {
    if (Date.now() > deadline) throw new Error(`the caches are not complete:\n${lines.join("")}`);
    await systemTiming.sleep(10);
  }
  return {
    writes,
    log: lines,
    reconciled: () => reconciled,
    isCalm: () => queues.every((queue) => queue.depth === 0 && queue.inHand().length === 0),
    async stop() {
      abort.abort(new Error("the test is over"));
      await Promise.all(runners.map((runner) => runner.stop()));
      await running;
    },
  };
}
