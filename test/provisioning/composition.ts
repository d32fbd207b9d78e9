import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import type { CodeHost } from "../../src/delivery/code-host.ts";
import { gitHost } from "../../src/delivery/git-host.ts";
import { installDirectly } from "../../src/installation/directly.ts";
import { prometheus } from "../../src/monitoring/prometheus.ts";
import type { Clock } from "../../src/provisioning/clock.ts";
import { createProvisioner } from "../../src/provisioning/create-provisioner.ts";
import type { CloudStores } from "../../src/provisioning/data-stores/cloud-stores.ts";
import { noCloudStores } from "../../src/provisioning/data-stores/no-cloud-stores.ts";
import { isInstalled } from "../../src/provisioning/installed.ts";
import type { Provisioner } from "../../src/provisioning/provisioner.ts";
import { fencing } from "../../src/provisioning/runs/ownership.ts";
import { type Standards, standardsSchema } from "../../src/standards/standards.ts";

/** Standards under which a service gets everything, on a test cluster. */
export const testStandards: Standards = standardsSchema.parse({
  images: { starter: "registry.example.internal/platform/starter:0.1.0" },
  cache: {
    versions: { "7.4": "docker.io/library/redis:7.4.7", "8.0": "docker.io/library/redis:8.0.5" },
  },
  // On a stage a hundred times as fast as life, on a machine with much to do.
  workload: { progressDeadlineSeconds: 3600 },
});

/**
 * Real time, with waits between retries and polls cut short. Signs of life less so than others: renewals of the Leases of
 * many engines at once would be most of what a test does.
 */
export const impatient: Clock = {
  now: () => systemTiming.now(),
  sleep(ms, signal) {
    const ofLife = ms === fencing.renewEveryMs || ms === fencing.leaseMs;
    return systemTiming.sleep(ms > 500 ? ms / (ofLife ? 5 : 20) : ms, signal);
  },
};

/** Provisioners of one cluster, and the repositories they share as processes would. */
export interface Composition {
  provisioner(as?: {
    readonly cluster?: Cluster;
    readonly codeHost?: CodeHost;
    readonly holder?: string;
    readonly clock?: Clock;
    readonly standards?: Standards;
    readonly cloud?: CloudStores;
  }): Provisioner;
  readonly codeHost: CodeHost;
  close(): Promise<void>;
}

/** Repositories in a folder of their own, and provisioners that share them. */
export async function composition(cluster: Cluster, repositories?: string): Promise<Composition> {
  const folder = repositories ?? (await mkdtemp(join(tmpdir(), "platform-provisioning-")));
  const codeHost = gitHost({
    where: { root: folder },
    now: () => new Date(),
    environment: process.env,
    temporary: folder,
  });
  if (!(await isInstalled(cluster))) {
    await installDirectly(cluster, { standards: testStandards, clock: systemTiming });
  }
  return {
    codeHost,
    provisioner: ({
      cluster: other = cluster,
      codeHost: otherHost = codeHost,
      holder = "test@here:1",
      clock = impatient,
      standards = testStandards,
      cloud = noCloudStores(),
    } = {}) =>
      createProvisioner({
        cluster: other,
        codeHost: otherHost,
        cloud,
        metrics: prometheus(other, standards),
        standards,
        clock,
        randomBytes,
        holder,
      }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
