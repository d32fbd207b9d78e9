import { expect, onTestFinished, test } from "vitest";
import { wholeSpec } from "../../../src/application/application.ts";
import { credentialsMark } from "../../../src/application/credentials.ts";
import { applicationObjects } from "../../../src/application/desired-objects.ts";
import { credentialsAnnotation } from "../../../src/application/names.ts";
import { apply } from "../../../src/cluster/cluster.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { runControllers } from "../../operator/running.ts";
import { application, eventually, manage, prepare, read } from "../../operator/stage.ts";
import { storyStandards } from "../../operator/stories.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

test("pods that a run rolls for new credentials are not rolled back to what the operator remembers of the old ones", async () => {
  const { cluster, close } = await sandboxStage();
  onTestFinished(close);
  const namespace = "rotated";
  await prepare(cluster, storyStandards);
  await manage(cluster, namespace, storyStandards);
  // What it has read of a Secret holds for the whole test.
  const operator = await runControllers(cluster, { credentialsMs: 3_600_000 });
  onTestFinished(() => operator.stop());
  const ref = { namespace, name: "vault" };
  await cluster.create(
    resources.applications,
    application(namespace, "vault", { database: { type: "postgres" } }),
  );
  const mark = async () => {
    const deployment = await read(cluster, resources.deployments, namespace, "vault");
    return new RegExp(`"${credentialsAnnotation}":"(\\w+)"`).exec(JSON.stringify(deployment?.spec))?.[1];
  };
  await eventually("the operator has made the Deployment and is calm", async () => {
    expect(await mark()).toMatch(/^\w+$/);
    expect(operator.isCalm()).toBe(true);
  });

  const secret = await cluster.patch(
    resources.secrets,
    { namespace, name: "vault-db" },
    { type: "merge", body: { data: { password: Buffer.from("rotated").toString("base64") } } },
  );
  const { metadata, spec } = await cluster.get(resources.applications, ref);
  const credentials = credentialsMark([secret]);
  const changed = applicationObjects(
    {
      apiVersion: "platform.company.com/v1",
      kind: "Application",
      metadata: { namespace, name: "vault", ...(metadata.uid === undefined ? {} : { uid: metadata.uid }) },
      spec: wholeSpec(spec, "payments"),
    },
    storyStandards,
    { credentials },
  ).workload.find(({ kind }) => kind === "Deployment");
  if (changed === undefined) throw new Error("no Deployment");
  const [before, looked] = [operator.writes.length, operator.reconciled()];
  await apply(cluster, resources.deployments, changed);
  await eventually("the operator has looked at it, and is calm", () => {
    expect(operator.reconciled()).toBeGreaterThan(looked);
    expect(operator.isCalm()).toBe(true);
  });
  expect(await mark()).toBe(credentials);
  expect(operator.writes.slice(before).filter((line) => line.includes("Deployment"))).toEqual([]);
});
