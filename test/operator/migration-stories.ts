import { afterAll, beforeAll, expect, test } from "vitest";
import { resources } from "../../src/cluster/resource.ts";
import { type Running, runControllers } from "./running.ts";
import { application, condition, eventually, manage, prepare, read, unmanage } from "./stage.ts";
import { type StoryOptions, storyStandards } from "./stories.ts";

const { applications, deployments, jobs } = resources;
const registry = "registry.example.internal/payments";

/**
 * What the operator promises of migrations of Applications that were applied by hand, on whatever cluster it is.
 * @param fails - whether a program can fail here: on a real control plane nothing in a pod runs
 */
export function migrationStories({
  cluster: there,
  unique,
  fails,
}: StoryOptions & { readonly fails: boolean }): void {
  const namespace = unique("migrations");
  let operator: Running;
  beforeAll(async () => {
    await prepare(there(), storyStandards);
    await manage(there(), namespace, storyStandards);
    operator = await runControllers(there(), { momentMs: 0 });
  });
  afterAll(async () => {
    await unmanage(there(), namespace);
    await operator?.stop();
  });

  const edit = (name: string, spec: object, annotations: object = {}) =>
    there().patch(
      applications,
      { namespace, name },
      { type: "merge", body: { spec, metadata: { annotations } } },
    );
  const runs = async (name: string) => JSON.stringify(await read(there(), deployments, namespace, name));
  const ready = (name: string) =>
    eventually(`${name} is Ready`, async () =>
      expect(await condition(there(), namespace, name, "Ready")).toBe("True Ready"),
    );
  const writesOf = (name: string) => operator.writes.filter((line) => line.includes(name));

  test("what is applied is rolled out once its database is there and migrated, and is not migrated again", async () => {
    const migrations = { command: ["/bin/ledger", "migrate"] };
    await there().create(
      applications,
      application(namespace, "ledger", { database: { type: "postgres" }, migrations }),
    );
    await ready("ledger");
    const order = writesOf("ledger").filter((line) => /StatefulSet|Job|Deployment/.test(line));
    expect(order).toEqual([
      `apply StatefulSet ${namespace}/ledger-db`,
      `create Job ${namespace}/ledger-migrate`,
      `apply Deployment ${namespace}/ledger`,
    ]);
    const before = writesOf("ledger").length;
    await edit("ledger", { replicas: 3 });
    await eventually("three replicas", async () => {
      expect(await read(there(), applications, namespace, "ledger")).toMatchObject({
        status: { readyReplicas: 3 },
      });
    });
    expect(writesOf("ledger").slice(before).join()).not.toContain("Job");
  });

  test.runIf(fails)(
    "a migration that fails leaves the Deployment as it is, says why, and is tried again when the Application changes",
    async () => {
      await there().create(applications, application(namespace, "orders", { image: `${registry}/orders:1` }));
      await ready("orders");
      const migrations = { command: ["migrate"], image: `${registry}/tools:crash` };
      await edit("orders", { image: `${registry}/orders:2`, migrations });
      await eventually("the failure is told", async () => {
        expect(await condition(there(), namespace, "orders", "Degraded")).toBe("True MigrationFailed");
      });
      expect(await runs("orders")).toContain("orders:1");
      const failed = await read(there(), jobs, namespace, "orders-migrate");
      await edit("orders", { replicas: 3 });
      await eventually("it was tried again", async () => {
        const job = await read(there(), jobs, namespace, "orders-migrate");
        expect(job?.metadata.uid).not.toBe(failed?.metadata.uid);
        expect(await condition(there(), namespace, "orders", "Degraded")).toBe("True MigrationFailed");
      });
      expect(await runs("orders")).toContain("orders:1");
      await edit("orders", { migrations: { image: null } });
      await ready("orders");
      expect(await runs("orders")).toContain("orders:2");
    },
  );

  test("what a run says it has migrated is rolled out at once", async () => {
    const migrations = { command: ["migrate"] };
    await there().create(applications, application(namespace, "billing", { migrations }));
    await ready("billing");
    const mark = (await read(there(), deployments, namespace, "billing"))?.metadata.annotations;
    await edit("billing", { image: `${registry}/billing:2` });
    await eventually("the second image runs", async () =>
      expect(await runs("billing")).toContain("billing:2"),
    );
    await ready("billing");
    const before = writesOf("billing").length;
    await edit("billing", { image: `${registry}/ledger:1` }, mark);
    await eventually("the first image runs", async () => expect(await runs("billing")).toContain("ledger:1"));
    expect(writesOf("billing").slice(before).join()).not.toContain("Job");
  });
}
