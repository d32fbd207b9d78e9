import { expect, onTestFinished, test } from "vitest";
import { conditionsOf } from "../../../src/cluster/conditions.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { runControllers } from "../../operator/running.ts";
import { application, eventually, manage, prepare, read } from "../../operator/stage.ts";
import { storyStandards } from "../../operator/stories.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

test("an applied Application gets its credentials from External Secrets Operator, and says what they wait for", async () => {
  const { cluster, close } = await sandboxStage();
  onTestFinished(close);
  const namespace = "by-eso";
  const secrets = { store: "external-secrets", clusterSecretStore: "vault" } as const;
  const standards = { ...storyStandards, secrets };
  await prepare(cluster, standards);
  await manage(cluster, namespace, standards);
  const operator = await runControllers(cluster);
  onTestFinished(() => operator.stop());
  await cluster.create(
    resources.applications,
    application(namespace, "ledger", { database: { type: "postgres" } }),
  );
  const ready = async () => {
    const found = await read(cluster, resources.applications, namespace, "ledger");
    return conditionsOf(found ?? {}).find(({ type }) => type === "Ready");
  };
  await eventually("it says why there is no Secret", async () => {
    expect(await ready()).toMatchObject({
      reason: "SecretNotReady",
      message: expect.stringContaining('could not get ClusterSecretStore "vault"'),
    });
  });
  await cluster.create(resources.clusterSecretStores, {
    apiVersion: "external-secrets.io/v1",
    kind: "ClusterSecretStore",
    metadata: { name: "vault" },
    spec: {},
  });
  await eventually("it is ready", async () => {
    expect(await ready()).toMatchObject({ status: "True" });
  });
  const secret = await read(cluster, resources.secrets, namespace, "ledger-db");
  expect(secret).toMatchObject({
    immutable: true,
    metadata: {
      labels: {
        "platform.company.com/managed": "true",
        "platform.company.com/service": "ledger",
        "platform.company.com/component": "database",
      },
    },
  });
});
