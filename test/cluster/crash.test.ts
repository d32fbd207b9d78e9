import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { describe, test } from "vitest";
import { connect } from "../../src/cluster/connect.ts";
import { isClusterError } from "../../src/cluster/errors.ts";
import { resources } from "../../src/cluster/resource.ts";
import { crashTest } from "../crash/crash-test.ts";
import type { Arena } from "../crash/kills.ts";
import { creation, deletion, deployment, rollback, type Size, scaling } from "../crash/operations.ts";
import { type Footing, inProcess, prepareAll, servicesNamed, toldTo } from "../crash/stage.ts";
import { survey } from "../crash/survey.ts";
import { composition } from "../provisioning/composition.ts";
import { noSandbox } from "../unit/commands/memory-terminal.ts";
import { skipped, testConnection } from "./connection.ts";

/** A real cluster waits more than it works. */
const atOnce = 20;

/** Services of names of their own on the cluster, as they are wanted, that go when the work is done. */
function onCluster(kubeconfig: string, size?: Size): Arena {
  return async (work, victims) => {
    const folder = await mkdtemp(join(tmpdir(), "platform-crash-"));
    const cluster = await connect({ kind: "kubeconfig", path: kubeconfig });
    const composed = await composition(cluster, folder);
    const services = servicesNamed(`c${Date.now().toString(36).slice(-6)}`);
    const footing: Footing = {
      services,
      cluster,
      composed,
      async survey() {
        const found = await survey(cluster, folder);
        return { found, told: await toldTo(["--kubeconfig", kubeconfig], noSandbox) };
      },
    };
    try {
      if (size !== undefined) await prepareAll(footing, size, victims, atOnce);
      return await work(inProcess(footing, { atOnce }));
    } finally {
      await removeAll(footing);
      await cluster.close();
      await rm(folder, { recursive: true, force: true });
    }
  };
}

async function removeAll({
  services: { before, after, victims },
  cluster,
  composed,
}: Footing): Promise<void> {
  const limit = pLimit(atOnce);
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

const connection = testConnection();
describe("engines killed on a real control plane", { timeout: 900_000 }, () => {
  if (connection?.kind !== "kubeconfig" || connection.path === undefined) return test.skip(skipped, () => {});
  const { path } = connection;
  crashTest(creation, onCluster(path));
  for (const subject of [scaling, deployment]) crashTest(subject, onCluster(path, "bare"));
  for (const subject of [rollback, deletion]) crashTest(subject, onCluster(path, "database"));
});
