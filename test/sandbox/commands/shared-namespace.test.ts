import { readFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { protectionAnnotation } from "../../../src/application/names.ts";
import { apply } from "../../../src/cluster/cluster.ts";
import { find } from "../../../src/cluster/find.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { guardrailsCrd } from "../../../src/guardrails/crd.ts";
import { runControllers } from "../../operator/running.ts";
import { application, condition, eventually } from "../../operator/stage.ts";
import { commandsOnSandbox } from "./commands.ts";

test("two Applications in one namespace are two services; what would change them says what to type instead", async () => {
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
  ]) {
    const { code, err } = await run("service", ...words);
    expect(code, words.join(" ")).toBe(2);
    expect(err).toContain("it was applied with kubectl");
    expect(err).toMatch(/kubectl edit -n production applications\.platform\/(orders|api-gateway)/);
    expect(err).toMatch(/service delete production\/(orders|api-gateway)/);
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

test("a run deletes a service of a shared namespace, and another one the data stores that were kept", async () => {
  const { run, cluster } = await commandsOnSandbox();
  const namespace = "production";
  const own = await run("service", "create", "orders", "--language", "go", "--database", "postgres");
  expect(own.code, own.err).toBe(0);
  expect(await run("service", "delete", "orders", "--yes", "--data-stores", "keep")).toMatchObject({
    code: 0,
  });
  expect(await run("namespace", "manage", namespace)).toMatchObject({ code: 0 });
  const operator = await runControllers(cluster, { momentMs: 0 });
  onTestFinished(() => operator.stop());
  const withDatabase = { database: { type: "postgres" } };
  for (const name of ["orders", "ledger"]) {
    await cluster.create(resources.applications, application(namespace, name, withDatabase));
  }
  const ready = (...names: readonly string[]) =>
    eventually(`${names.join(" and ")} are ready`, async () => {
      for (const name of names) expect(await condition(cluster, namespace, name, "Ready")).toMatch(/^True /);
    });
  await ready("orders", "ledger");
  const uids = async (name: string) => {
    const objects = await Promise.all([
      find(cluster, resources.namespaces, { name: namespace }),
      find(cluster, resources.applications, { namespace, name }),
      find(cluster, resources.deployments, { namespace, name }),
      find(cluster, resources.statefulSets, { namespace, name: `${name}-db` }),
      find(cluster, resources.secrets, { namespace, name: `${name}-db` }),
      find(cluster, resources.persistentVolumeClaims, { namespace, name: `data-${name}-db-0` }),
    ]);
    return objects.map((object) => object?.metadata.uid);
  };
  const [place, ...before] = await uids("orders");
  const beside = await uids("ledger");
  expect([place, ...before, ...beside]).not.toContain(undefined);

  const look = JSON.parse((await run("service", "delete", "ledger", "--dry-run", "-o", "json")).out);
  expect(look).toMatchObject({
    plan: { operation: "delete", service: "ledger", sharedNamespace: namespace },
  });
  const shown = await run("service", "delete", "production/orders", "--dry-run");
  expect(shown.out).toContain("Plan to delete production/orders, ");
  expect(shown.out).toContain("Keeps the data stores in namespace production.");
  expect(shown.out).not.toMatch(/- (Namespace|StatefulSet|NetworkPolicy|ResourceQuota)\b/);

  const first = await run("service", "delete", "production/orders", "--yes");
  expect(first.code, first.err).toBe(0);
  expect(first.err).toContain("delete production/orders on sandbox, run orders-delete-");
  expect(first.err).toContain("service delete production/orders --data-stores delete deletes the data too");
  expect(first.out).toMatch(
    /^service production\/orders deleted in .*; its data stores are kept in namespace production$/m,
  );
  const [, itself, deployment, ...stores] = await uids("orders");
  expect([itself, deployment]).toEqual([undefined, undefined]);
  expect(stores).toEqual(before.slice(2));
  const kept = JSON.parse((await run("service", "get", "production/orders", "-o", "json")).out).items;
  expect(kept).toEqual([
    expect.objectContaining({
      verdict: "kept",
      reason: expect.stringContaining("platform service delete production/orders --data-stores delete"),
      lastRun: expect.objectContaining({ operation: "delete", phase: "Succeeded" }),
    }),
  ]);
  const events = await cluster.list(resources.events, { namespace });
  expect(events.items.find(({ reason }) => reason === "DataKept")?.message).toContain(
    "platform service delete production/orders offers to delete them",
  );

  const [{ name: deletion }] = JSON.parse(
    (await run("run", "list", "--service", "production/orders", "-o", "json")).out,
  ).items;
  const back = await run("run", "rollback", deletion, "--yes");
  expect(back.code, back.err).toBe(0);
  await ready("orders");
  expect((await uids("orders")).slice(3)).toEqual(before.slice(2));
  expect(await run("service", "delete", "production/orders", "--yes")).toMatchObject({ code: 0 });

  const unmanage = await run("namespace", "unmanage", namespace);
  expect(unmanage.err).toContain("service delete production/orders --data-stores delete");

  await cluster.patch(
    resources.statefulSets,
    { namespace, name: "orders-db" },
    { type: "merge", body: { metadata: { annotations: { [protectionAnnotation]: "true" } } } },
  );
  const everything = ["service", "delete", "production/orders", "--data-stores", "delete"];
  const refused = await run(...everything, "--yes");
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.err).toContain("orders-db of orders is protected against deletion");
  expect(await run(...everything, "--confirm", "ledger")).toMatchObject({ code: 2 });
  const second = await run(...everything, "--confirm", "orders");
  expect(second.code, second.err).toBe(0);
  expect(second.out).toMatch(/^service production\/orders deleted in [^;]*$/m);
  expect(await uids("orders")).toEqual([place, undefined, undefined, undefined, undefined, undefined]);
  expect(await uids("ledger")).toEqual(beside);
  await ready("ledger");

  const runs = JSON.parse(
    (await run("run", "list", "--service", "production/orders", "-o", "json")).out,
  ).items;
  expect(runs).toHaveLength(3);
  for (const each of runs)
    expect(each).toMatchObject({ operation: "delete", service: "orders", sharedNamespace: namespace });
  const others = JSON.parse(
    (await run("run", "list", "--service", "app-orders/orders", "-o", "json")).out,
  ).items;
  expect(others.map(({ operation }: { readonly operation: string }) => operation)).toEqual([
    "delete",
    "create",
  ]);
  const named = (await run("run", "list", "--service", "orders")).out;
  expect(named.match(/ production\/orders /g)).toHaveLength(3);
  expect((await run("run", "show", runs[0].name)).out).toContain("delete production/orders, team ");
  for (const nowhere of ["production/orders", "staging/orders", "production/no-such"]) {
    const { code, err } = await run("service", "delete", nowhere, "--yes");
    expect(code, nowhere).toBe(2);
    expect(err).toContain(`there is no service ${nowhere}`);
  }
  expect((await run("service", "delete", "no-such", "--yes")).err).toContain("there is no service no-such");

  // A name alone is that of the service with its own namespace, and else of the only one that has it.
  await cluster.create(resources.applications, application(namespace, "orders"));
  await ready("orders");
  const alone = JSON.parse((await run("service", "delete", "orders", "--dry-run", "-o", "json")).out);
  expect(alone.plan).not.toHaveProperty("namespace");
});

test("a name that several shared namespaces have is not guessed at", async () => {
  const { run, cluster } = await commandsOnSandbox();
  for (const namespace of ["staging", "production"]) {
    expect(await run("namespace", "manage", namespace)).toMatchObject({ code: 0 });
    await cluster.create(resources.applications, application(namespace, "orders"));
  }
  const refused = await run("service", "logs", "orders");
  expect(refused.code).toBe(2);
  expect(refused.err).toContain("2 services are named orders: production/orders, staging/orders");
  expect(await run("service", "delete", "orders", "--yes")).toMatchObject({ code: 2 });
  expect((await run("service", "get", "orders", "-o", "name")).out).toBe(
    "service/production/orders\nservice/staging/orders\n",
  );
});
