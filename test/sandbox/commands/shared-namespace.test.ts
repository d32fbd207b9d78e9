import { readFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { apply } from "../../../src/cluster/cluster.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { guardrailsCrd } from "../../../src/guardrails/crd.ts";
import { runControllers } from "../../operator/running.ts";
import { application, eventually } from "../../operator/stage.ts";
import { commandsOnSandbox } from "./commands.ts";

test("two Applications in one namespace are two services; runs are told to be none of their business", async () => {
  const { run, cluster } = await commandsOnSandbox();
  expect(await run("service", "create", "api-gateway", "--language", "go")).toMatchObject({ code: 0 });
  await apply(cluster, resources.customResourceDefinitions, guardrailsCrd);
  expect(await run("namespace", "manage", "production")).toMatchObject({ code: 0 });
  const list = async () => {
    const { code, out, err } = await run("service", "list", "-o", "json");
    expect(code, err).toBe(0);
    return JSON.parse(out).items;
  };
  expect(await list()).toContainEqual(
    expect.objectContaining({ kind: "namespace", name: "production", namespace: "production" }),
  );

  const operator = await runControllers(cluster, { momentMs: 0 });
  onTestFinished(() => operator.stop());
  const document = await readFile(new URL("../../application.yaml", import.meta.url), "utf8");
  await cluster.create(resources.applications, parse(document));
  const broken = { image: "registry.example.internal/platform/orders:crash", replicas: 1 };
  await cluster.create(resources.applications, application("production", "orders", broken));

  await eventually("each is as it is, and not as the other", async () => {
    const rows = await list();
    expect(rows.map(({ namespace, name }: Row) => `${namespace}/${name}`).toSorted()).toEqual([
      "app-api-gateway/api-gateway",
      "production/api-gateway",
      "production/orders",
    ]);
    const inProduction = rows.filter(({ namespace }: Row) => namespace === "production");
    expect(inProduction).toEqual([
      expect.objectContaining({
        name: "orders",
        verdict: "failed",
        reason: expect.stringContaining("crashes"),
        replicas: { ready: 0, wanted: 1 },
        database: { type: "none" },
        monitoring: { status: "off" },
      }),
      expect.objectContaining({
        kind: "service",
        name: "api-gateway",
        verdict: "healthy",
        replicas: { ready: 3, wanted: 3 },
        database: { type: "postgres", ready: true },
        cache: { type: "redis", ready: true },
        monitoring: { status: "proven", targets: 3 },
        team: "platform",
      }),
    ]);
    expect(inProduction[1]).not.toHaveProperty("lastRun");
  });

  const names = (await run("service", "list", "-o", "name")).out;
  expect(names.split("\n").filter(Boolean).toSorted()).toEqual([
    "service/api-gateway",
    "service/production/api-gateway",
    "service/production/orders",
  ]);
  const both = await run("service", "get", "api-gateway");
  expect(both.out).toMatch(/^api-gateway /m);
  expect(both.out).toMatch(/^production\/api-gateway /m);
  const one = JSON.parse((await run("service", "get", "production/api-gateway", "-o", "json")).out);
  expect(one.items).toEqual([expect.objectContaining({ namespace: "production", name: "api-gateway" })]);
  expect(JSON.parse((await run("service", "get", "orders", "-o", "json")).out).items).toHaveLength(1);
  expect(await run("service", "get", "staging/orders")).toMatchObject({ code: 2 });

  const logs = await run("service", "logs", "production/api-gateway", "--tail", "1");
  const pods = await cluster.list(resources.pods, { namespace: "production" });
  const itsPods = pods.items.flatMap(({ metadata: { name } }) =>
    /^api-gateway-[0-9a-f]{8,}-/.test(name) ? [name] : [],
  );
  const logging = logs.out.split("\n").flatMap((line) => /^(\S+) {2}/.exec(line)?.[1] ?? []);
  expect(logging.toSorted()).toEqual(itsPods.toSorted());
  expect(await run("service", "open", "orders")).toMatchObject({ out: "http://orders.production.svc\n" });
  expect((await run("service", "open", "api-gateway")).out).toContain("app-api-gateway");

  for (const words of [
    ["scale", "orders", "--replicas", "2"],
    ["scale", "production/api-gateway", "--replicas", "2"],
    ["rollback", "orders"],
    ["releases", "orders"],
    ["delete", "production/api-gateway", "--yes"],
    ["delete", "orders", "--yes"],
  ]) {
    const { code, err } = await run("service", ...words);
    expect(code, words.join(" ")).toBe(2);
    expect(err).toContain("it was applied with kubectl");
    expect(err).toMatch(/kubectl edit -n production applications\.platform\/(orders|api-gateway)/);
  }
  expect(
    await run("service", "scale", "app-api-gateway/api-gateway", "--replicas", "3", "--yes"),
  ).toMatchObject({
    code: 0,
  });
  expect(await run("service", "get", "production/No_Name")).toMatchObject({
    code: 2,
    err: expect.stringContaining("cannot be a service's name"),
  });
  const left = await cluster.list(resources.applications);
  expect(left.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).toSorted()).toEqual([
    "app-api-gateway/api-gateway",
    "production/api-gateway",
    "production/orders",
  ]);
  expect(
    (await cluster.get(resources.namespaces, { name: "app-api-gateway" })).metadata.deletionTimestamp,
  ).toBe(undefined);
});

interface Row {
  readonly namespace: string;
  readonly name: string;
}

test("a name that several shared namespaces have is not guessed at", async () => {
  const { run, cluster } = await commandsOnSandbox();
  for (const namespace of ["staging", "production"]) {
    expect(await run("namespace", "manage", namespace)).toMatchObject({ code: 0 });
    await cluster.create(resources.applications, application(namespace, "orders"));
  }
  const refused = await run("service", "logs", "orders");
  expect(refused.code).toBe(2);
  expect(refused.err).toContain("2 services are named orders: production/orders, staging/orders");
  expect((await run("service", "get", "orders", "-o", "name")).out).toBe(
    "service/production/orders\nservice/staging/orders\n",
  );
});
