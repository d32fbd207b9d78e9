import type { Cluster } from "./cluster/cluster.ts";
import type { CodeHost } from "./delivery/code-host.ts";
import type { Metrics } from "./monitoring/metrics.ts";
import type { Clock } from "./provisioning/clock.ts";
import type { Provisioner } from "./provisioning/provisioner.ts";
import type { Standards } from "./standards/standards.ts";

/** Everything a face works with, composed once for one cluster. */
export interface Platform {
  readonly cluster: Cluster;
  readonly standards: Standards;
  readonly provisioner: Provisioner;
  readonly codeHost: CodeHost;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** True for the sandbox: every screen says so. */
  readonly simulated: boolean;
  close(): Promise<void>;
}

/** A connection and what must be closed with it. */
export interface Connected {
  readonly cluster: Cluster;
  close(): Promise<void>;
}

/** An embedded cluster that is open, as far as the rest of the program needs to know it. */
export interface OpenedSandbox {
  readonly url: string;
  readonly token: string;
  readonly socketPath: string | undefined;
  close(): Promise<void>;
}

/** How the sandbox is reached; `main.ts` alone knows its module. */
export interface SandboxAccess {
  /** Folder of the sandbox's store. */
  readonly folder: string;
  /** Folder of the sandbox's Git repositories. */
  readonly repositories: string;
  open(options: { readonly speed?: number; readonly port?: number }): Promise<OpenedSandbox>;
}

/** Which cluster, and as whom. */
export type Where =
  | { readonly kind: "sandbox"; readonly access: SandboxAccess; readonly speed?: number }
  | { readonly kind: "kubeconfig"; readonly path?: string; readonly context?: string };

/** The cluster has no `platform install` yet. */
export class NotInstalledError extends Error {
  override readonly name = "NotInstalledError";
}
