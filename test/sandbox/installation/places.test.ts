import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { databasesNamespace, operatorName, stateNamespace } from "../../../src/application/names.ts";
import { find } from "../../../src/cluster/find.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { systemTiming } from "../../../src/cluster/timing.ts";
import { bootstrap } from "../../../src/installation/bootstrap.ts";
import { createInstaller } from "../../../src/installation/installer.ts";
import { cloudStandards } from "../../provisioning/cloud-stage.ts";
import { composition, impatient, testStandards } from "../../provisioning/composition.ts";
import { postgresStandards } from "../../provisioning/postgres-stage.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

const places = [
  {
    title: "Terraform's states",
    namespace: stateNamespace,
    needed: cloudStandards,
    rules: [{ resources: ["secrets", "configmaps"] }, { resources: ["leases"] }],
  },
  {
    title: "CloudNativePG's databases",
    namespace: databasesNamespace,
    needed: postgresStandards,
    rules: ["clusters", "secrets", "networkpolicies", "podmonitors"].map((kind) => ({ resources: [kind] })),
  },
];

test.each(places)(
  "the place of $title comes with standards that need it, and never goes again",
  async ({ namespace, needed, rules }) => {
    const stage = await sandboxStage();
    onTestFinished(() => stage.close());
    const { cluster } = stage;
    await bootstrap(cluster, systemTiming, {});
    const installer = createInstaller({ cluster, clock: impatient, randomBytes, holder: "test@here:1" });
    const install = async (standards: typeof testStandards) => {
      const execution = await installer.install(await installer.planInstall({ standards }), {
        onFailure: "hold",
      });
      const state = await execution.finished;
      expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
      return state.name;
    };
    const place = () => find(cluster, resources.namespaces, { name: namespace });
    const rights = () => find(cluster, resources.roles, { namespace, name: operatorName });
    await install(testStandards);
    expect(await place()).toBeUndefined();

    const run = await install(needed);
    const uid = (await place())?.metadata.uid;
    expect(uid).toBeDefined();
    expect(await rights()).toMatchObject({ rules });

    const made = await composition(cluster);
    onTestFinished(() => made.close());
    const back = await made.provisioner().rollback(run, { dataStores: "delete" });
    expect((await back.finished).phase, JSON.stringify(back.state.failure)).toBe("RolledBack");
    expect((await place())?.metadata.uid).toBe(uid);

    await install(needed);
    await install(testStandards);
    expect(await rights()).toBeUndefined();
    expect((await place())?.metadata.uid).toBe(uid);
  },
);
