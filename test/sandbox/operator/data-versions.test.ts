import { expect, onTestFinished, test } from "vitest";
import { resources } from "../../../src/cluster/resource.ts";
import { standardsObject } from "../../../src/installation/objects.ts";
import { write } from "../../../src/provisioning/engine/write.ts";
import { type Standards, standardsName, standardsSchema } from "../../../src/standards/standards.ts";
import { runControllers } from "../../operator/running.ts";
import { application, condition, eventually, manage, prepare, read } from "../../operator/stage.ts";
import { storyStandards } from "../../operator/stories.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

test("what has data stays on a version that reads it: no edit and no standards take it to another", async () => {
  const { cluster, close } = await sandboxStage();
  onTestFinished(close);
  const namespace = "versions";
  await prepare(cluster, storyStandards);
  await manage(cluster, namespace, storyStandards);
  const operator = await runControllers(cluster, { momentMs: 0 });
  onTestFinished(() => operator.stop());
  const spec = { database: { type: "postgres" }, cache: { type: "redis" } };
  await cluster.create(resources.applications, application(namespace, "vault", spec));
  const image = async (name: string) => {
    const found = await read(cluster, resources.statefulSets, namespace, name);
    return /"image":"([^"]*)"/.exec(JSON.stringify(found?.spec))?.[1];
  };
  const is = (type: string, said: string) =>
    eventually(`${type} is ${said}`, async () =>
      expect(await condition(cluster, namespace, "vault", type)).toBe(said),
    );
  const edit = (version: string | null) =>
    cluster.patch(
      resources.applications,
      { namespace, name: "vault" },
      { type: "merge", body: { spec: { cache: { version } } } },
    );
  const decide = async (standards: Standards) =>
    write(
      cluster,
      standardsObject(standards),
      await cluster.get(resources.standards, { name: standardsName }),
    );
  await is("Ready", "True Ready");
  expect(await image("vault-cache")).toBe("docker.io/library/redis:7.4.7");

  // What the standards' own version is, no rule of the API knows: the operator looks.
  await edit("7.2");
  await is("CacheReady", "False Refused");
  expect(await image("vault-cache")).toBe("docker.io/library/redis:7.4.7");
  const told = await read(cluster, resources.applications, namespace, "vault");
  expect(JSON.stringify(told?.status)).toContain("Redis 7.2 does not read what Redis 7.4 has written");
  await edit("7.4");
  await is("CacheReady", "True Ready");

  // A version that was given is neither lowered nor left out.
  for (const version of ["7.2", "7", "6.4", null]) {
    await expect(edit(version)).rejects.toThrow("an older Redis does not read");
  }
  const cache = {
    versions: { "7.4": "docker.io/library/redis:7.4.7", "7.10": "docker.io/library/redis:7.10.1" },
  };
  const database = { image: "docker.io/library/postgres:17.1" };
  await decide(standardsSchema.parse({ ...storyStandards, database, cache }));
  await is("DatabaseReady", "False Refused");
  expect(await image("vault-db")).toBe("docker.io/library/postgres:15.15");
  await edit("7.10");
  await eventually("a newer one is followed", async () =>
    expect(await image("vault-cache")).toBe("docker.io/library/redis:7.10.1"),
  );
  // A volume keeps the size that it was made with; all else of its StatefulSet follows.
  const ofPod = { requests: { cpu: "200m", memory: "256Mi" }, limits: { cpu: "1", memory: "1Gi" } };
  const larger = { storage: "50Gi", resources: ofPod };
  await decide(
    standardsSchema.parse({ ...storyStandards, cache: { ...cache, storage: "5Gi" }, database: larger }),
  );
  await eventually("its pod's resources are followed", async () =>
    expect(JSON.stringify(await read(cluster, resources.statefulSets, namespace, "vault-db"))).toContain(
      '"cpu":"200m"',
    ),
  );
  await is("DatabaseReady", "True Ready");
  await is("CacheReady", "True Ready");
  const set = JSON.stringify(await read(cluster, resources.statefulSets, namespace, "vault-db"));
  expect(set).toContain('"storage":"10Gi"');
});
