import { afterAll, beforeAll, expect, test } from "vitest";
import { apply, type Cluster } from "../../src/cluster/cluster.ts";
import { resources } from "../../src/cluster/resource.ts";
import { type Standards, standardsSchema } from "../../src/standards/standards.ts";
import { type Running, runControllers } from "./running.ts";
import { application, condition, eventually, manage, prepare, read } from "./stage.ts";

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
    await operator.stop();
    await cluster().delete(resources.namespaces, { name: namespace });
  });

  const ready = (name: string) =>
    eventually(`${name} is Ready`, async () =>
      expect(await condition(cluster(), namespace, name, "Ready")).toBe("True Ready"),
    );
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

  test("nothing is written on a restart, nor when everything is looked at again", async () => {
    await ready("ledger");
    const second = await runControllers(cluster(), { resyncMs: 100 });
    await eventually("everything was looked at several times", () => {
      expect(second.reconciled()).toBeGreaterThan(6);
      expect(second.isCalm()).toBe(true);
    });
    await second.stop();
    expect(second.writes.filter((line) => line.includes(namespace))).toEqual([]);
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
}
