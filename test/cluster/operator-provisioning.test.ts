import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { stateNamespace } from "../../src/application/names.ts";
import { apply, type Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { find } from "../../src/cluster/find.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { resourceOf, resources } from "../../src/cluster/resource.ts";
import { stateAccess } from "../../src/guardrails/state-access.ts";
import { write } from "../../src/provisioning/engine/write.ts";
import { provisioningStories } from "../operator/provisioning-stories.ts";
import { cloudStage, cloudStandards } from "../provisioning/cloud-stage.ts";
import { terraform } from "../terraform/stage.ts";
import { skipped, testConnection, uniqueName } from "./connection.ts";
import { decisions, installed, withOperator } from "./installed.ts";

const connection = testConnection();
if (connection === undefined) console.warn(skipped);

/** Who applies has the shipped roles of a developer and no others; the operator is its ServiceAccount. */
describe.skipIf(terraform === undefined || connection === undefined)(
  "data stores of applied Applications that runs make, on a real API server",
  () => {
    const team = uniqueName("provision");
    let folder: string;
    let admin: Cluster;
    let before: KubeObject | undefined;
    const opened: Cluster[] = [];

    beforeAll(async () => {
      if (connection?.kind !== "kubeconfig" || connection.path === undefined) return;
      folder = await mkdtemp(join(tmpdir(), "platform-operator-provisioning-"));
      admin = await connect({ kind: "kubeconfig", path: connection.path, context: "admin" });
      await installed(admin, team);
      before = await find(admin, resources.standards, { name: "platform" });
      await writeFile(join(folder, "kubeconfig"), await withOperator(connection.path));
    }, 120_000);
    afterAll(async () => {
      if (before !== undefined) {
        const now = await find(admin, resources.standards, { name: "platform" });
        await write(admin, { ...before, apiVersion: "platform.company.com/v1", kind: "Standards" }, now);
      }
      for (const cluster of opened) await cluster.close();
      await admin?.close();
      await rm(folder, { recursive: true, force: true });
    });

    provisioningStories(async () => {
      const path = join(folder, "kubeconfig");
      const as = async (context: string) => {
        const cluster = await connect({ kind: "kubeconfig", path, context });
        opened.push(cluster);
        return cluster;
      };
      const [operator, person] = await Promise.all([as("platform-operator"), as("developer")]);
      for (const object of stateAccess(cloudStandards)) await apply(admin, resourceOf(object), object);
      const access = { kind: "kubeconfig", path, context: "platform-operator" } as const;
      const place = { kind: "kubernetes", namespace: stateNamespace, access } as const;
      const stage = await cloudStage({ cluster: admin, place, as: operator });
      const teams = { [team]: { groups: ["team-payments"] } };
      return { stage, operator, person, team, decisions: { ...decisions, teams } };
    });
  },
);
