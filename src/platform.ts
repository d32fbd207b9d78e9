import { randomBytes } from "node:crypto";
import { hostname, tmpdir, userInfo } from "node:os";
import type { Cluster } from "./cluster/cluster.ts";
import { connect } from "./cluster/connect.ts";
import { systemTiming } from "./cluster/timing.ts";
import type { CodeHost } from "./delivery/code-host.ts";
import { gitHost } from "./delivery/git-host.ts";
import { missingHost } from "./delivery/missing-host.ts";
import type { Metrics } from "./monitoring/metrics.ts";
import { prometheus } from "./monitoring/prometheus.ts";
import type { Clock } from "./provisioning/clock.ts";
import { createProvisioner } from "./provisioning/create-provisioner.ts";
import { ProvisioningError } from "./provisioning/errors.ts";
import { isInstalled } from "./provisioning/installed.ts";
import type { Provisioner } from "./provisioning/provisioner.ts";
import { loadStandards, readStandardsFile, StandardsMissing } from "./standards/load.ts";
import { sandboxStandards } from "./standards/sandbox-standards.ts";
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

/** The sandbox, served on a port for kubectl. */
export interface ServedSandbox {
  readonly url: string;
  /** Path of a kubeconfig for it. */
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** How the sandbox is reached; `main.ts` alone knows its module. */
export interface SandboxAccess {
  /** Folder of the sandbox's store. */
  readonly folder: string;
  /** Folder of the sandbox's Git repositories. */
  readonly repositories: string;
  open(options: { readonly speed?: number }): Promise<OpenedSandbox>;
  serve(options: { readonly speed?: number; readonly port: number }): Promise<ServedSandbox>;
}

/** Which cluster, and as whom. */
export type Where =
  | { readonly kind: "sandbox"; readonly access: SandboxAccess; readonly speed?: number }
  | { readonly kind: "kubeconfig"; readonly path?: string; readonly context?: string };

/**
 * Connects, and sends nothing yet to a cluster of a kubeconfig.
 * @throws KubeconfigError, or the sandbox's own error where its store cannot be opened
 */
export async function connectCluster(where: Where): Promise<Connected> {
  if (where.kind === "kubeconfig") {
    const cluster = await connect(where);
    return { cluster, close: () => cluster.close() };
  }
  const { access, speed } = where;
  const opened = await access.open(speed === undefined ? {} : { speed });
  const cluster = await connect({
    kind: "endpoint",
    url: opened.url,
    token: opened.token,
    socketPath: opened.socketPath,
    context: "sandbox",
    simulated: true,
  });
  return {
    cluster,
    close: async () => {
      await cluster.close();
      await opened.close();
    },
  };
}

/** What composing a platform needs to know besides the connection. */
export interface PlatformOptions {
  /** Read instead of the cluster's standards: written into the sandbox, otherwise only for a preview. */
  readonly standardsFile?: string;
}

/**
 * Everything for one cluster. The sandbox gets what `platform install` writes when it has not got it yet.
 * @throws ProvisioningError where `platform install` has not been run, RefusedInput for a wrong standards file, ClusterError
 */
export async function openPlatform(
  connection: Connected,
  where: Where,
  options: PlatformOptions = {},
): Promise<Platform> {
  const { cluster } = connection;
  const clock = systemTiming;
  const fromFile =
    options.standardsFile === undefined ? undefined : await readStandardsFile(options.standardsFile);
  const standards =
    where.kind === "sandbox"
      ? await prepareSandbox(cluster, clock, fromFile)
      : await installedStandards(cluster, fromFile);
  const codeHost = codeHostFor(where, standards, clock);
  const metrics = prometheus(cluster, standards);
  const provisioner = createProvisioner({
    cluster,
    codeHost,
    metrics,
    standards,
    clock,
    randomBytes,
    holder: `${userInfo().username}@${hostname()}:${process.pid}`,
  });
  return {
    cluster,
    standards,
    provisioner,
    codeHost,
    metrics,
    clock,
    simulated: cluster.simulated,
    close: connection.close,
  };
}

/** The sandbox has the platform from the start; a first start that was cut off is finished by the next. */
async function prepareSandbox(
  cluster: Cluster,
  clock: Clock,
  fromFile: Standards | undefined,
): Promise<Standards> {
  if (fromFile === undefined && (await isInstalled(cluster))) {
    try {
      return await loadStandards(cluster);
    } catch (error) {
      if (!(error instanceof StandardsMissing)) throw error;
    }
  }
  // Its schemas of CRDs take a while to make.
  const { install } = await import("./provisioning/install.ts");
  const standards = fromFile ?? sandboxStandards();
  await install(cluster, { standards, clock });
  return standards;
}

/** @throws ProvisioningError where `platform install` has not been run */
async function installedStandards(cluster: Cluster, fromFile: Standards | undefined): Promise<Standards> {
  // Both are asked for at once; without an installation the second answer is not looked at.
  const loading = fromFile === undefined ? loadStandards(cluster) : Promise.resolve(fromFile);
  loading.catch(() => {});
  if (await isInstalled(cluster)) return loading;
  throw new ProvisioningError(
    "refused",
    `the platform is not installed on ${cluster.context}`,
    "platform install installs it, for those who may",
  );
}

/** The sandbox's repositories live in the user's state folder unless its standards say otherwise. */
function codeHostFor(where: Where, standards: Standards, clock: Clock): CodeHost {
  const { host } = standards.delivery;
  const rest = { now: () => clock.now(), environment: process.env, temporary: tmpdir() };
  if (host !== undefined) return gitHost({ where: { host }, ...rest });
  if (where.kind === "sandbox") return gitHost({ where: { root: where.access.repositories }, ...rest });
  return missingHost();
}
