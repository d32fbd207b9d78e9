import { expect, onTestFinished, test } from "vitest";
import { conditionsOf } from "../../../src/cluster/conditions.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { type Standards, standardsName, standardsSchema } from "../../../src/standards/standards.ts";
import { runControllers } from "../../operator/running.ts";
import { application, eventually, manage, prepare, read } from "../../operator/stage.ts";
import { storyStandards } from "../../operator/stories.ts";
import { externalValues, personsSecret } from "../../provisioning/external-secret.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

const standards: Standards = standardsSchema.parse({
  ...storyStandards,
  dataStores: { external: { ranges: ["10.30.0.0/16"] } },
});
const namespace = "shared";

test("an applied Application waits for the Secret of a database that exists already, and follows it", async () => {
  const { cluster, close } = await sandboxStage();
  onTestFinished(close);
  await prepare(cluster, standards);
  await manage(cluster, namespace, standards);
  const operator = await runControllers(cluster, { credentialsMs: 100, momentMs: 0 });
  onTestFinished(() => operator.stop());
  const external = { secret: "their-login", host: "db.acme.example", port: 5432 };
  const database = { type: "postgres", provider: "external", external };
  await cluster.create(resources.applications, application(namespace, "ledger", { database }));
  const found = async (type: string) => {
    const object = await read(cluster, resources.applications, namespace, "ledger");
    return conditionsOf(object ?? {}).find((condition) => condition.type === type);
  };
  await eventually("it says which Secret is not there", async () => {
    expect(await found("Ready")).toMatchObject({
      reason: "SecretNotReady",
      message: expect.stringContaining("Secret their-login is not there yet"),
    });
  });

  const { port: _, ...half } = externalValues("database");
  await cluster.create(resources.secrets, personsSecret(namespace, "their-login", half));
  await eventually("it says which key is missing, and no value", async () => {
    const { message = "" } = (await found("Ready")) ?? {};
    expect(message).toContain("Secret their-login has no key port");
    for (const value of [half.password, half.uri]) expect(message).not.toContain(value);
  });

  const put = async (password?: string) => {
    const { data } = personsSecret(
      namespace,
      "their-login",
      externalValues("database", password === undefined ? {} : { password }),
    );
    const ref = { namespace, name: "their-login" };
    await cluster.patch(resources.secrets, ref, { type: "merge", body: { data } });
  };
  await put();
  await eventually("it is ready", async () => expect(await found("Ready")).toMatchObject({ status: "True" }));
  const policy = await read(cluster, resources.networkPolicies, namespace, "to-database.ledger");
  expect(policy?.spec).toMatchObject({ egress: [{ to: [{ ipBlock: { cidr: "10.30.0.0/16" } }] }] });
  const mark = async () => {
    const deployment = await read(cluster, resources.deployments, namespace, "ledger");
    return /"platform\.company\.com\/credentials":"(\w+)"/.exec(JSON.stringify(deployment?.spec))?.[1];
  };
  const first = await mark();
  expect(first).toMatch(/^\w+$/);
  await put("another-of-theirs");
  await eventually("pods roll for what is in the Secret now", async () => {
    expect(await mark()).toMatch(/^\w+$/);
    expect(await mark()).not.toBe(first);
  });
  const secret = await read(cluster, resources.secrets, namespace, "their-login");
  expect(secret?.metadata.labels ?? {}).toEqual({});

  await cluster.patch(
    resources.standards,
    { name: standardsName },
    { type: "merge", body: { spec: { dataStores: { external: { ranges: [] } } } } },
  );
  await eventually("the path is closed where the standards no longer allow it, and it says so", async () => {
    expect(await read(cluster, resources.networkPolicies, namespace, "to-database.ledger")).toBeUndefined();
    expect(await found("DatabaseReady")).toMatchObject({ status: "False", reason: "NotAllowed" });
  });
});
