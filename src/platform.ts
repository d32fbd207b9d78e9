import { randomBytes } from "node:crypto";
import { hostname, tmpdir, userInfo } from "node:os";
import { cloudStoresFor } from "./cloud-stores.ts";
import type { Cluster } from "./cluster/cluster.ts";
import { systemTiming } from "./cluster/timing.ts";
import type { Connected, Where } from "./connection.ts";
import type { CodeHost } from "./delivery/code-host.ts";
import { gitHost } from "./delivery/git-host.ts";
import { missingHost } from "./delivery/missing-host.ts";
import { pointHooksAt } from "./delivery/push-hook.ts";
import type { Metrics } from "./monitoring/metrics.ts";
import { prometheus } from "./monitoring/prometheus.ts";
import type { Clock } from "./provisioning/clock.ts";
import { createProvisioner } from "./provisioning/create-provisioner.ts";
import type { CloudStores } from "./provisioning/data-stores/cloud-stores.ts";
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
      ? await prepareSandbox(cluster, clock, where, fromFile)
      : await installedStandards(cluster, fromFile);
  const codeHost = codeHostFor(where, standards, clock);
  const metrics = prometheus(cluster, standards);
  const provisioner = createProvisioner({
    cluster,
    codeHost,
    cloud: cloudFor(cluster, where, standards),
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
  { access: { repositories, onPush } }: Extract<Where, { readonly kind: "sandbox" }>,
  fromFile: Standards | undefined,
): Promise<Standards> {
  if (onPush !== undefined) await pointHooksAt(repositories, onPush);
  const [installed, existing] = await Promise.all([
    isInstalled(cluster),
    fromFile === undefined ? existingStandards(cluster) : undefined,
  ]);
  if (installed && existing !== undefined) return existing;
  // Its schemas of CRDs take a while to make.
  const { installDirectly } = await import("./installation/directly.ts");
  const standards = fromFile ?? existing ?? sandboxStandards();
  await installDirectly(cluster, { standards, clock });
  return standards;
}

/** Undefined where there are none yet. */
async function existingStandards(cluster: Cluster): Promise<Standards | undefined> {
  try {
    return await loadStandards(cluster);
  } catch (error) {
    if (error instanceof StandardsMissing) return undefined;
    throw error;
  }
}

/** @throws ProvisioningError where `platform install` has not been run */
async function installedStandards(cluster: Cluster, fromFile: Standards | undefined): Promise<Standards> {
  // Both are asked for at once; without an installation the second answer is not looked at.
  const loading = fromFile === undefined ? loadStandards(cluster) : Promise.resolve(fromFile);
  loading.catch(() => {});
  if (await isInstalled(cluster)) return loading;
  throw new ProvisioningError(
    "refused",
    `the platform is not installed on ${cluster.context}, or older than this program`,
    "platform install brings it, for those who may",
  );
}

/**
 * What executing runs takes besides a connection, by the standards that the cluster holds now: the operator asks for
 * each run, since they may have been changed since.
 * @throws StandardsMissing, ClusterError
 */
export async function executingOn(
  cluster: Cluster,
  where: Where,
): Promise<{
  readonly standards: Standards;
  readonly codeHost: CodeHost;
  readonly cloud: CloudStores;
  readonly metrics: Metrics;
}> {
  const standards = await loadStandards(cluster);
  const codeHost = codeHostFor(where, standards, systemTiming);
  const cloud = cloudFor(cluster, where, standards);
  return { standards, codeHost, cloud, metrics: prometheus(cluster, standards) };
}

function cloudFor(cluster: Cluster, where: Where, standards: Standards): CloudStores {
  return cloudStoresFor({ cluster, where, standards, timing: systemTiming, environment: process.env });
}

/** The sandbox's repositories live in the user's state folder unless its standards say otherwise. */
function codeHostFor(where: Where, standards: Standards, clock: Clock): CodeHost {
  const { host } = standards.delivery;
  const rest = { now: () => clock.now(), environment: process.env, temporary: tmpdir() };
  if (host !== undefined) return gitHost({ where: { host }, ...rest });
  if (where.kind === "sandbox") {
    const { repositories: root, onPush } = where.access;
    return gitHost({ where: { root }, ...rest, ...(onPush === undefined ? {} : { onPush }) });
  }
  return missingHost();
}
