import { randomBytes } from "node:crypto";
import type { Cluster } from "../cluster/cluster.ts";
import type { Timing } from "../cluster/timing.ts";
import { createApplicationsControllers } from "./applications/index.ts";
import type { Controller } from "./controller.ts";
import { ExceptionsController } from "./exceptions/exceptions-controller.ts";
import type { Log } from "./log.ts";
import { createRunsController, type RunSurroundings } from "./runs/controller.ts";

/** What every controller is made with. */
export interface Surroundings {
  /**
   * The cluster, which takes writes only while this operator certainly holds its Leases. A write that comes too late
   * fails with `conflict`.
   */
  readonly cluster: Cluster;
  readonly log: Log;
  readonly timing: Timing;
  /** This process, as its Leases name it. */
  readonly identity: string;
}

/** Makes the controllers of one term: from when this process holds its first shard until it holds none. */
export type MakeControllers = (surroundings: Surroundings) => Promise<readonly Controller[]>;

/** Every controller of the operator. */
export function operatorControllers({ executing }: { readonly executing: RunSurroundings }): MakeControllers {
  return async ({ cluster, log, timing, identity }) => [
    ...createApplicationsControllers({ cluster, log, timing, identity }),
    new ExceptionsController({ cluster, log, timing }),
    createRunsController({
      cluster,
      log,
      timing,
      executing,
      randomBytes,
      holder: `operator@${identity}`,
    }),
  ];
}
