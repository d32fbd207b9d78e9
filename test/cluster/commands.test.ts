import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { resources } from "../../src/cluster/resource.ts";
import { runCommands } from "../../src/commands/program.ts";
import { memoryTerminal, noSandbox } from "../unit/commands/memory-terminal.ts";
import { testConnection, uniqueName } from "./connection.ts";
import { difference, inventory } from "./inventory.ts";

const connection = testConnection();
const kubeconfig = process.env.PLATFORM_TEST_KUBECONFIG ?? "";

/** Runs a command line on the real cluster, in this process. */
async function platform(...argv: string[]) {
  const terminal = memoryTerminal();
  const code = await runCommands(["--kubeconfig", kubeconfig, ...argv], {
    terminal,
    sandbox: noSandbox,
    version: "0",
  });
  return { code, ...terminal.written };
}

const podSchema = z.object({
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })) }),
});

describe.skipIf(connection === undefined)("commands on a real API server", () => {
  const name = uniqueName("cmd");
  const shop = uniqueName("cmd");
  let cluster: Cluster;
  let folder: string;

  beforeAll(async () => {
    if (connection === undefined) return;
    cluster = await connect(connection);
    folder = await mkdtemp(join(tmpdir(), "platform-commands-"));
    const standards = join(folder, "platform.yaml");
    await writeFile(
      standards,
      [
        "images: { starter: registry.example.internal/platform/starter:0.1.0 }",
        `delivery: { host: "${pathToFileURL(join(folder, "repositories")).href}" }`,
      ].join("\n"),
    );
    expect(await platform("install", "--standards", standards)).toMatchObject({ code: 0 });
  });

  afterAll(async () => {
    if (connection === undefined) return;
    const made = [name, shop];
    for (const service of made) {
      await cluster.delete(resources.namespaces, { name: `app-${service}` }).catch(() => undefined);
    }
    const runs = await cluster.list(resources.runs, { namespace: "platform-system" });
    for (const { metadata } of runs.items) {
      if (!made.some((service) => metadata.name.startsWith(`${service}-`))) continue;
      await cluster.delete(resources.runs, { name: metadata.name, namespace: "platform-system" });
    }
    await cluster.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("the mission's command ends with 3 pods ready; delete leaves nothing", async () => {
    const before = await inventory(cluster, { about: name });
    const created = await platform(
      ...["service", "create", name, "--language", "go", "--replicas", "3"],
      ...["--database", "postgres", "--cache", "redis"],
    );
    expect(created.err, created.err).toContain("✔");
    expect(created.code, created.err).toBe(0);

    const pods = await cluster.list(resources.pods, {
      namespace: `app-${name}`,
      labelSelector: "platform.company.com/component=workload",
    });
    const ready = pods.items.filter((pod) =>
      podSchema
        .parse(pod)
        .status.conditions.some(({ type, status }) => type === "Ready" && status === "True"),
    );
    expect(ready).toHaveLength(3);

    const list = await platform("service", "list");
    expect(list.out).toMatch(new RegExp(`^${name} +\\S+ +3/3 +postgres +redis`, "m"));

    const destroy = ["service", "delete", name, "--data-stores", "delete"];
    expect(await platform(...destroy, "--yes")).toMatchObject({
      code: 2,
      err: expect.stringContaining(`--confirm ${name}`),
    });
    const deleted = await platform(...destroy, "--confirm", name);
    expect(deleted.code, deleted.err).toBe(0);
    const { added } = difference(before, await inventory(cluster, { about: name }));
    // The record of what was done stays.
    expect(added.filter((key) => !/^(runs|leases)\./.test(key))).toEqual([]);
    expect((await platform("service", "get", name)).code).toBe(2);
  });

  test("scaled, deployed and taken back: what the Application says, and a release each", async () => {
    const done = async (...words: string[]) => {
      const ended = await platform("service", ...words);
      expect(ended.code, ended.err).toBe(0);
      return ended;
    };
    const ref = { namespace: `app-${shop}`, name: shop };
    const spec = async () => (await cluster.get(resources.applications, ref)).spec;
    const image = `registry.example.internal/platform/${shop}@sha256:${"a".repeat(64)}`;
    await done("create", shop, "--language", "go");
    const first = await spec();
    await done("scale", shop, "--replicas", "3");
    await done("deploy", shop, "--image", image, "--commit", "3f2c1ab");
    expect(await spec()).toMatchObject({ replicas: 3, image, starter: false });
    expect((await done("scale", shop, "--replicas", "3")).out).toContain("nothing to change");
    await done("rollback", shop);
    expect(await spec()).toEqual({ ...Object(first), replicas: 3 });
    expect((await done("releases", shop, "-o", "name")).out).toBe("release/3\nrelease/2\nrelease/1\n");
    const removed = await platform("service", "delete", shop, "--yes");
    expect(removed.code, removed.err).toBe(0);
  });

  test("a developer where no operator runs: 4, whom to ask, nothing written", async () => {
    const other = uniqueName("cmd");
    const { code, err } = await platform("--context", "developer", "service", "create", other, "-l", "go");
    expect(code, err).toBe(4);
    expect(err).toMatch(/no operator is running/);
    expect(err).toContain("Nothing was written");
    expect(await inventory(cluster, { about: other })).toEqual(new Map());
  });

  test("a namespace that is not ours is never taken", async () => {
    const other = uniqueName("cmd");
    const namespace = { name: `app-${other}` };
    await cluster.create(resources.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: namespace });
    try {
      const { code, err } = await platform("service", "create", other, "--language", "go");
      expect(code, err).toBe(2);
      expect(err).toContain(`app-${other}`);
      expect((await platform("service", "delete", other, "--yes")).code).toBe(2);
      await cluster.get(resources.namespaces, namespace);
    } finally {
      await cluster.delete(resources.namespaces, namespace);
    }
  });
});
