import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { isClusterError } from "../../src/cluster/errors.ts";
import { find } from "../../src/cluster/find.ts";
import { resources } from "../../src/cluster/resource.ts";
import { standardsName } from "../../src/standards/standards.ts";
import { type Footing, type Ground, servicesNamed, toldTo } from "../crash/stage.ts";
import { survey } from "../crash/survey.ts";
import { composition } from "../provisioning/composition.ts";
import { noSandbox } from "../unit/commands/memory-terminal.ts";
import { upstreamOf } from "./upstream.ts";

/**
 * Services of names of their own on the cluster of a kubeconfig; all of them go when the work is done.
 * @param shared - a folder of repositories, for grounds at the same time: a cluster's standards name only one
 */
export async function onClusterGround<T>(
  kubeconfig: string,
  work: (ground: Ground) => Promise<T>,
  shared?: string,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "platform-crash-"));
  const repositories = shared ?? join(folder, "repositories");
  const cluster = await connect({ kind: "kubeconfig", path: kubeconfig });
  const ground: Ground = {
    services: servicesNamed(`c${randomBytes(3).toString("hex")}`),
    cluster,
    composed: await composition(cluster, repositories),
    upstream: await upstreamOf(kubeconfig),
    folder,
    repositories,
    async survey() {
      const found = await survey(cluster, repositories);
      return { found, told: await toldTo(["--kubeconfig", kubeconfig], noSandbox) };
    },
  };
  const remove = async () => {
    await removeAll(ground);
    if (shared === undefined) await forgetRepositories(cluster);
  };
  try {
    const result = await work(ground);
    await remove();
    return result;
  } catch (error) {
    // A cluster that cannot be reached any more is not what went wrong.
    await remove().catch(() => {});
    throw error;
  } finally {
    await cluster.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The standards name no repositories any more: those of others' services are elsewhere. */
export async function forgetRepositories(cluster: Cluster): Promise<void> {
  if ((await find(cluster, resources.standards, { name: standardsName })) === undefined) return;
  const body = { spec: { delivery: { host: null } } };
  await cluster.patch(resources.standards, { name: standardsName }, { type: "merge", body });
}

async function removeAll({
  services: { before, after, victims },
  cluster,
  composed,
}: Footing): Promise<void> {
  const limit = pLimit(20);
  const remove = async (service: (typeof victims)[number]) => {
    await cluster.delete(resources.namespaces, { name: `app-${service}` }).catch((error: unknown) => {
      if (!isClusterError(error, "not-found")) throw error;
    });
    for (const { name } of await composed.provisioner().list({ service })) {
      await cluster.delete(resources.runs, { namespace: "platform-system", name });
    }
  };
  await Promise.all([before, after, ...victims].map((service) => limit(() => remove(service))));
}
