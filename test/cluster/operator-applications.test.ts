import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { resources } from "../../src/cluster/resource.ts";
import { migrationStories } from "../operator/migration-stories.ts";
import { type Running, runControllers } from "../operator/running.ts";
import { application, condition, eventually, manage, prepare, read, unmanage } from "../operator/stage.ts";
import { applicationStories, storyStandards } from "../operator/stories.ts";
import { testApiServer } from "./api-server.ts";
import { skipped, testConnection, uniqueName } from "./connection.ts";

const connection = testConnection();
const server = testApiServer();
if (connection === undefined) console.warn(skipped);

describe.skipIf(connection === undefined)("the controller of Applications, on a real API server", () => {
  let cluster: Cluster;

  beforeAll(async () => {
    if (connection !== undefined) cluster = await connect(connection);
  });
  afterAll(async () => {
    await cluster.close();
  });

  applicationStories({ cluster: () => cluster, unique: uniqueName });
});

// Apart from the others: their operator would do the work of this one's.
describe.skipIf(connection === undefined)("migrations of applied Applications, on a real API server", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    if (connection !== undefined) cluster = await connect(connection);
  });
  afterAll(async () => {
    await cluster.close();
  });

  migrationStories({ cluster: () => cluster, unique: uniqueName, fails: false });
});

describe.skipIf(connection === undefined)("a pod that was killed for memory and runs again at once", () => {
  const namespace = uniqueName("oom");
  let cluster: Cluster;
  let operator: Running;

  beforeAll(async () => {
    if (connection === undefined) return;
    cluster = await connect(connection);
    await prepare(cluster, storyStandards);
    await manage(cluster, namespace, storyStandards);
    // A rollout is given all the time in the world: nothing is seen by waiting.
    operator = await runControllers(cluster, { patienceMs: 600_000, momentMs: 0 });
  });
  afterAll(async () => {
    await unmanage(cluster, namespace);
    await operator?.stop();
    await cluster?.close();
  });

  const is = (type: string, said: string) =>
    eventually(`${type} is ${said}`, async () =>
      expect(await condition(cluster, namespace, "thirsty", type)).toBe(said),
    );

  test("is told on its Application, and that it is well again", async () => {
    await cluster.create(resources.applications, application(namespace, "thirsty"));
    await is("Ready", "True Ready");
    const { items } = await cluster.list(resources.pods, { namespace });
    const name = items.find(({ metadata }) => metadata.name.startsWith("thirsty-"))?.metadata.name ?? "";
    /** As the kubelet writes it when a container has been started again, and is not probed yet. */
    const restarted = (ready: boolean) =>
      cluster.patch(
        resources.pods,
        { namespace, name },
        {
          type: "merge",
          body: {
            status: {
              conditions: [
                { type: "PodScheduled", status: "True" },
                { type: "Ready", status: ready ? "True" : "False" },
              ],
              containerStatuses: [
                {
                  name: "thirsty",
                  image: "registry.example.internal/payments/ledger:1",
                  imageID: "",
                  ready,
                  restartCount: 1,
                  state: { running: {} },
                  lastState: { terminated: { reason: "OOMKilled", exitCode: 137 } },
                },
              ],
            },
          },
        },
        { subresource: "status" },
      );
    await restarted(false);
    await is("Degraded", "True OOMKilled");
    await restarted(true);
    await is("Ready", "True Ready");
    await eventually("its Events tell both", async () => {
      const events = await cluster.list(resources.events, { namespace });
      const reasons = events.items.map(({ reason }) => reason);
      expect(reasons).toEqual(expect.arrayContaining(["OOMKilled", "Recovered"]));
    });
  });
});

describe("an API server that is killed and started again under a living operator", () => {
  if (connection === undefined) return test.skip(skipped, () => {});
  if (server === undefined)
    return test.skip("skipped: PLATFORM_TEST_CONTROL names no control plane that may be killed", () => {});

  const namespace = uniqueName("restart");
  const later = uniqueName("restart");
  const { applications, deployments, services } = resources;
  let cluster: Cluster;
  let operator: Running;

  beforeAll(async () => {
    cluster = await connect(connection);
    await prepare(cluster, storyStandards);
    await soon(() => manage(cluster, namespace, storyStandards));
    operator = await runControllers(cluster);
  });
  afterAll(async () => {
    await Promise.all([namespace, later].map((name) => unmanage(cluster, name)));
    await operator?.stop();
    await cluster?.close();
  });

  const ready = (where: string, name: string) =>
    eventually(`${name} is Ready`, async () =>
      expect(await condition(cluster, where, name, "Ready")).toBe("True Ready"),
    );

  /** Until the API server answers, and its admission policies know their parameters. */
  const soon = (work: () => Promise<unknown>) => vi.waitFor(work, { timeout: 120_000, interval: 500 });
  const edit = (name: string, spec: Readonly<Record<string, unknown>>) =>
    cluster.patch(applications, { namespace, name }, { type: "merge", body: { spec } });

  test("every kind of change is seen again, by the same process", async () => {
    const names = ["edited", "drifted", "bereft", "leaving"];
    for (const name of names) await cluster.create(applications, application(namespace, name));
    for (const name of names) await ready(namespace, name);

    await server.killAndRestart();
    // The operator is told nothing.
    await soon(() => edit("edited", { replicas: 3 }));
    const drift = { type: "merge", body: { spec: { replicas: 7 } } } as const;
    await soon(() => cluster.patch(deployments, { namespace, name: "drifted" }, drift));
    await soon(() => cluster.delete(services, { namespace, name: "bereft" }));
    await soon(() => cluster.delete(applications, { namespace, name: "leaving" }));
    await soon(() => manage(cluster, later, storyStandards));
    await soon(() => cluster.create(applications, application(later, "new")));

    await eventually("the edited one has three pods, and says so", async () =>
      expect(await read(cluster, applications, namespace, "edited")).toMatchObject({
        status: { observedGeneration: 2, readyReplicas: 3 },
      }),
    );
    await eventually("the drifted Deployment is as the Application says", async () =>
      expect(await read(cluster, deployments, namespace, "drifted")).toMatchObject({ spec: { replicas: 2 } }),
    );
    await eventually("the deleted Service is back", async () =>
      expect(await read(cluster, services, namespace, "bereft")).toBeDefined(),
    );
    await eventually("nothing of the deleted Application is made again", async () => {
      expect(await read(cluster, deployments, namespace, "leaving")).toBeUndefined();
      expect(operator.isCalm()).toBe(true);
    });
    await ready(later, "new");
    for (const name of ["edited", "drifted", "bereft"]) await ready(namespace, name);
  });
});
