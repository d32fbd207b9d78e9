import type { Cluster } from "../../cluster/cluster.ts";
import type { CodeHost } from "../../delivery/code-host.ts";
import type { Standards } from "../../standards/standards.ts";
import type { Clock } from "../clock.ts";
import type { CloudStores } from "../data-stores/cloud-stores.ts";

/** What an operation's plan is computed from. */
export interface Surroundings {
  readonly cluster: Cluster;
  readonly codeHost: CodeHost;
  readonly cloud: CloudStores;
  readonly standards: Standards;
  readonly clock: Pick<Clock, "now">;
}
