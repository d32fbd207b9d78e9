import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { type Application, wholeSpec } from "../../src/application/application.ts";
import { applicationObjects } from "../../src/application/desired-objects.ts";
import { apply, type Cluster } from "../../src/cluster/cluster.ts";
import { resourceOf, resources } from "../../src/cluster/resource.ts";
import { type Standards, standardsSchema } from "../../src/standards/standards.ts";
import { type Running, runControllers } from "./running.ts";
import { application, condition, eventually, manage, prepare, read, unmanage } from "./stage.ts";

export interface StoryOptions {
  readonly cluster: () => Cluster;
  /** A name that nobody else on this cluster uses. */
  readonly unique: (prefix: string) => string;
}

export const storyStandards: Standards = standardsSchema.parse({
  teams: { payments: { groups: ["team-payments"] } },
});

/** What the controller of Applications promises, on whatever cluster it is. */
export function applicationStories({ cluster, unique }: StoryOptions): void {
  const namespace = unique("shop");
  let operator: Running;
  const { applications, deployments, services } = resources;

  beforeAll(async () => {
    await prepare(cluster(), storyStandards);
    await manage(cluster(), namespace, storyStandards);
    operator = await runControllers(cluster());
  });
  afterAll(async () => {
    await unmanage(cluster(), namespace);
    await operator.stop();
  });

  const ready = (name: string) =>
    eventually(`${name} is Ready`, async () =>
      expect(await condition(cluster(), namespace, name, "Ready")).toBe("True Ready"),
    );
  const edit = (name: string, spec: Readonly<Record<string, unknown>>) =>
    cluster().patch(applications, { namespace, name }, { type: "merge", body: { spec } });
  const writesOf = (name: string) => operator.writes.filter((line) => line.includes(name));

  test("a new Application gets each of its objects by one write, and one write of its status", async () => {
    await cluster().create(applications, application(namespace, "ledger"));
    await ready("ledger");
    expect(writesOf("ledger").toSorted()).toEqual([
      `apply Deployment ${namespace}/ledger`,
      `apply NetworkPolicy ${namespace}/calls.ledger`,
      `apply NetworkPolicy ${namespace}/requests.ledger`,
      `apply NetworkPolicy ${namespace}/telemetry.ledger`,
      `apply PodDisruptionBudget ${namespace}/ledger`,
      `apply Service ${namespace}/ledger`,
      `apply ServiceAccount ${namespace}/ledger`,
      `status Application ${namespace}/ledger`,
    ]);
    expect(await read(cluster(), applications, namespace, "ledger")).toMatchObject({
      status: {
        observedGeneration: 1,
        replicas: 2,
        readyReplicas: 2,
        image: "registry.example.internal/payments/ledger:1",
      },
    });
  });

  test("what is edited, drifts or is deleted comes to be as the Application says", async () => {
    const before = writesOf("ledger").length;
    await cluster().patch(
      applications,
      { namespace, name: "ledger" },
      { type: "merge", body: { spec: { replicas: 3 } } },
    );
    await eventually("three replicas", async () => {
      expect(await read(cluster(), applications, namespace, "ledger")).toMatchObject({
        status: { observedGeneration: 2, readyReplicas: 3 },
      });
    });
    await cluster().patch(
      deployments,
      { namespace, name: "ledger" },
      { type: "merge", body: { spec: { replicas: 1 }, metadata: { annotations: { note: "mine" } } } },
    );
    await cluster().delete(services, { namespace, name: "ledger" });
    await eventually("both are back", async () => {
      expect(await read(cluster(), deployments, namespace, "ledger")).toMatchObject({
        metadata: { annotations: { note: "mine" } },
        spec: { replicas: 3 },
      });
      expect(await read(cluster(), services, namespace, "ledger")).toBeDefined();
    });
    await ready("ledger");
    expect(writesOf("ledger").slice(before)).not.toContain(`delete Deployment ${namespace}/ledger`);
  });

  test("an autoscaler takes over without a pod less, and its number stays", async () => {
    const autoscaling = { minReplicas: 2, maxReplicas: 6 };
    await edit("ledger", { autoscaling });
    await eventually("there is an autoscaler", async () =>
      expect(await read(cluster(), resources.horizontalPodAutoscalers, namespace, "ledger")).toBeDefined(),
    );
    await ready("ledger");
    expect(await read(cluster(), deployments, namespace, "ledger")).toMatchObject({ spec: { replicas: 3 } });
    await cluster().patch(
      deployments,
      { namespace, name: "ledger" },
      { type: "merge", body: { spec: { replicas: 4 } } },
      { subresource: "scale" },
    );
    await edit("ledger", { image: "registry.example.internal/payments/ledger:2" });
    await eventually("the new image runs in four pods", async () =>
      expect(await read(cluster(), applications, namespace, "ledger")).toMatchObject({
        status: { image: "registry.example.internal/payments/ledger:2", readyReplicas: 4 },
      }),
    );
    await edit("ledger", { autoscaling: null });
    await eventually("the Application decides again", async () => {
      expect(await read(cluster(), resources.horizontalPodAutoscalers, namespace, "ledger")).toBeUndefined();
      expect(await read(cluster(), applications, namespace, "ledger")).toMatchObject({
        status: { readyReplicas: 3 },
      });
    });
    await ready("ledger");
  });

  test("what is there and not its own is left alone, and named in the status", async () => {
    await apply(cluster(), services, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace, name: "orders" },
      spec: { ports: [{ port: 81 }] },
    });
    const theirs = await read(cluster(), services, namespace, "orders");
    await cluster().create(applications, application(namespace, "orders"));
    await eventually("the conflict is told", async () =>
      expect(await condition(cluster(), namespace, "orders", "Ready")).toBe("False Conflict"),
    );
    expect(await read(cluster(), applications, namespace, "orders")).toMatchObject({
      status: { conflicts: [{ kind: "Service", name: "orders" }] },
    });
    expect((await read(cluster(), services, namespace, "orders"))?.metadata.resourceVersion).toBe(
      theirs?.metadata.resourceVersion,
    );
  });

  test("what is in the way and is removed makes room", async () => {
    await cluster().delete(services, { namespace, name: "orders" });
    // Nothing tells of it, since it does not carry the platform's label: the next look does, or a change.
    await edit("orders", { replicas: 1 });
    await ready("orders");
    expect((await read(cluster(), services, namespace, "orders"))?.metadata.ownerReferences).toMatchObject([
      { kind: "Application", name: "orders", controller: true },
    ]);
  });

  test("what is no longer asked for is removed, and nothing else", async () => {
    const mine = await apply(cluster(), resources.configMaps, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace, name: "orders-notes", labels: { "platform.company.com/service": "orders" } },
      data: { note: "mine" },
    });
    await edit("orders", { exposure: "none", monitoring: { enabled: true, alerts: [] } });
    await eventually("no Service any more", async () => {
      expect(await read(cluster(), services, namespace, "orders")).toBeUndefined();
      expect(await read(cluster(), resources.serviceMonitors, namespace, "orders")).toBeDefined();
    });
    await edit("orders", { monitoring: { enabled: false } });
    await eventually("no ServiceMonitor any more", async () => {
      expect(await read(cluster(), resources.serviceMonitors, namespace, "orders")).toBeUndefined();
      expect(await read(cluster(), services, namespace, "orders-metrics")).toBeUndefined();
    });
    const after = await read(cluster(), resources.configMaps, namespace, "orders-notes");
    expect(after?.metadata.resourceVersion).toBe(mine.metadata.resourceVersion);
    await ready("orders");
  });

  test("an object that has lost its labels is found and mended", async () => {
    await cluster().patch(
      deployments,
      { namespace, name: "orders" },
      { type: "merge", body: { metadata: { labels: null } } },
    );
    await eventually("its labels are back", async () =>
      expect((await read(cluster(), deployments, namespace, "orders"))?.metadata.labels).toMatchObject({
        "platform.company.com/managed": "true",
      }),
    );
  });

  test("an Application in a namespace that is not managed makes nothing until it is", async () => {
    const other = unique("wild");
    await cluster().create(resources.namespaces, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: other },
    });
    await cluster().create(applications, application(other, "stray"));
    await eventually("it is told", async () =>
      expect(await condition(cluster(), other, "stray", "Ready")).toBe("False NamespaceNotManaged"),
    );
    expect(await read(cluster(), deployments, other, "stray")).toBeUndefined();
    await manage(cluster(), other, storyStandards);
    await eventually("it is Ready", async () =>
      expect(await condition(cluster(), other, "stray", "Ready")).toBe("True Ready"),
    );
    await cluster().delete(resources.namespaces, { name: other });
  });

  test("what a run made before is taken with its label, and nobody else's objects are", async () => {
    const made = applicationObjects(
      wholeApplication(namespace, "before", storyStandards),
      storyStandards,
    ).workload;
    for (const object of made) {
      const labels = { ...object.metadata.labels, "platform.company.com/run": "before-create-1" };
      await apply(cluster(), resourceOf(object), { ...object, metadata: { ...object.metadata, labels } });
    }
    await cluster().create(applications, application(namespace, "before"));
    await ready("before");
    const deployment = await read(cluster(), deployments, namespace, "before");
    expect(deployment?.metadata).toMatchObject({
      generation: 1,
      labels: { "platform.company.com/run": "before-create-1" },
      ownerReferences: [{ kind: "Application", name: "before" }],
    });
  });

  test("credentials are made once, pods roll when they change, and data outlives its Application", async () => {
    await cluster().create(
      applications,
      application(namespace, "vault", { database: { type: "postgres" }, cache: { type: "redis" } }),
    );
    await ready("vault");
    const secret = await read(cluster(), resources.secrets, namespace, "vault-db");
    const stored = await read(cluster(), applications, namespace, "vault");
    expect(stored?.metadata.finalizers).toEqual(["platform.company.com/application"]);
    expect(await condition(cluster(), namespace, "vault", "DatabaseReady")).toBe("True Ready");
    expect(
      writesOf("vault")
        .filter((line) => line.includes("Secret"))
        .toSorted(),
    ).toEqual([
      `create Secret ${namespace}/vault-cache`,
      `create Secret ${namespace}/vault-cache-admin`,
      `create Secret ${namespace}/vault-db`,
    ]);

    const marked = async () =>
      JSON.stringify((await read(cluster(), deployments, namespace, "vault"))?.spec).match(
        /"platform.company.com\/credentials":"(\w+)"/,
      )?.[1];
    const before = await marked();
    expect(before).toMatch(/^\w+$/);
    await cluster().patch(
      resources.secrets,
      { namespace, name: "vault-db" },
      { type: "merge", body: { data: { password: Buffer.from("rotated").toString("base64") } } },
    );
    await eventually("its pods have another mark", async () => {
      await edit("vault", { replicas: 2 });
      expect(await marked()).not.toBe(before);
    });

    const set = await read(cluster(), resources.statefulSets, namespace, "vault-db");
    await cluster().delete(applications, { namespace, name: "vault" });
    await eventually("the Application and its Deployment are gone", async () => {
      expect(await read(cluster(), applications, namespace, "vault")).toBeUndefined();
      expect(await read(cluster(), deployments, namespace, "vault")).toBeUndefined();
    });
    const kept = await read(cluster(), resources.statefulSets, namespace, "vault-db");
    expect(kept?.metadata.uid).toBe(set?.metadata.uid);
    const { items } = await cluster().list(resources.events, { namespace });
    expect(items.find(({ reason }) => reason === "DataKept")?.message).toContain("vault-cache, vault-db");

    await cluster().create(applications, application(namespace, "vault", { database: { type: "postgres" } }));
    await ready("vault");
    const again = await read(cluster(), resources.secrets, namespace, "vault-db");
    expect(again?.metadata.uid).toBe(secret?.metadata.uid);
  });

  test("the document of the handbook leads to Ready, and again once it was deleted", async () => {
    const document = parse(await readFile(new URL("../application.yaml", import.meta.url), "utf8"));
    const gateway = { ...document, metadata: { ...document.metadata, namespace } };
    await cluster().create(applications, gateway);
    await ready("api-gateway");
    for (const type of ["WorkloadReady", "DatabaseReady", "CacheReady", "MonitoringReady", "NetworkReady"]) {
      expect(await condition(cluster(), namespace, "api-gateway", type)).toMatch(/^True (Ready|Partial)$/);
    }
    const secret = await read(cluster(), resources.secrets, namespace, "api-gateway-db");
    const data: unknown = secret?.data;
    expect(data).toMatchObject({ username: Buffer.from("api_gateway_user").toString("base64") });
    await cluster().delete(applications, { namespace, name: "api-gateway" });
    await cluster()
      .create(applications, gateway)
      .catch(async () => {
        await eventually("its name is free", async () =>
          expect(await read(cluster(), applications, namespace, "api-gateway")).toBeUndefined(),
        );
        await cluster().create(applications, gateway);
      });
    await ready("api-gateway");
  });

  test("nothing is written on a restart, nor when everything is looked at again", async () => {
    await ready("ledger");
    await ready("api-gateway");
    const second = await runControllers(cluster(), { resyncMs: 100 });
    await eventually("everything was looked at several times", () => {
      expect(second.reconciled()).toBeGreaterThan(20);
      expect(second.isCalm()).toBe(true);
    });
    await second.stop();
    expect(second.writes.filter((line) => line.includes(namespace))).toEqual([]);
  });

  test("a quota that is hit is named", async () => {
    const limits = { cpu: "15", memory: "1Gi" };
    await cluster().create(
      applications,
      application(namespace, "hungry", { resources: { requests: limits, limits } }),
    );
    await eventually("it is told", async () =>
      expect(await condition(cluster(), namespace, "hungry", "Degraded")).toBe("True QuotaExceeded"),
    );
    await cluster().delete(applications, { namespace, name: "hungry" });
  });

  test("what a managed namespace has of itself comes back", async () => {
    const { roleBindings } = resources;
    const binding = await read(cluster(), roleBindings, namespace, "team");
    await cluster().delete(roleBindings, { namespace, name: "team" });
    // As an older platform made it: a role of the namespace, which a binding cannot change.
    await apply(cluster(), roleBindings, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { namespace, name: "team", labels: binding?.metadata.labels ?? {} },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "team" },
      subjects: [],
    });
    await cluster().delete(resources.networkPolicies, { namespace, name: "deny-all" });
    await cluster().patch(
      resources.resourceQuotas,
      { namespace, name: "quota" },
      { type: "merge", body: { spec: { hard: { pods: "1000" } } } },
    );
    await eventually("both are as they were", async () => {
      expect(await read(cluster(), resources.networkPolicies, namespace, "deny-all")).toBeDefined();
      expect(await read(cluster(), resources.resourceQuotas, namespace, "quota")).toMatchObject({
        spec: { hard: { pods: "100" } },
      });
      expect((await read(cluster(), roleBindings, namespace, "team"))?.roleRef).toMatchObject({
        kind: "ClusterRole",
      });
    });
  });

  test("Applications of a namespace that somebody deletes are let go with it", async () => {
    await cluster().delete(resources.namespaces, { name: namespace });
    await eventually("its Applications are gone", async () =>
      expect((await cluster().list(applications, { namespace })).items).toEqual([]),
    );
  });
}

function wholeApplication(namespace: string, name: string, standards: Standards): Application {
  const { spec } = application(namespace, name);
  return {
    apiVersion: "platform.company.com/v1",
    kind: "Application",
    metadata: { namespace, name },
    spec: wholeSpec(spec, Object.keys(standards.teams)[0] ?? ""),
  };
}
