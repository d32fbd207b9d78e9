import { rm } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { BackendPlace } from "../../src/terraform/backend.ts";
import { clusterHolders, nearAndFar, podUidIn } from "../../src/terraform/cluster-holders.ts";
import { ensureDataStore, planOfDataStore, removeDataStore } from "../../src/terraform/data-store.ts";
import { isTerraformError } from "../../src/terraform/error.ts";
import { lookAtProcesses } from "../../src/terraform/holder.ts";
import { holderFile } from "../../src/terraform/holder-file.ts";
import { holdTheAnswer, killTerraform } from "../terraform/interruption.ts";
import { database, password, type Stage, setStage, terraform, workspace } from "../terraform/stage.ts";
import { testConnection, uniqueName } from "./connection.ts";

const connection = testConnection();
const wanted = { variables: database(), hidden: { password } };

describe.skipIf(terraform === undefined || connection === undefined)("Terraform's state in a cluster", () => {
  let cluster: Cluster;
  const namespaces: string[] = [];

  beforeAll(async () => {
    if (connection !== undefined) cluster = await connect(connection);
  });
  afterAll(async () => {
    for (const name of namespaces) await cluster.delete(resources.namespaces, { name });
  });

  /** A stage whose states are in a namespace of their own. */
  async function stageInCluster() {
    if (connection?.kind !== "kubeconfig" || connection.path === undefined) throw new Error("no kubeconfig");
    const namespace = uniqueName("tf-state");
    namespaces.push(namespace);
    await cluster.create(resources.namespaces, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace },
    });
    const place: BackendPlace = {
      kind: "kubernetes",
      namespace,
      access: { kind: "kubeconfig", path: connection.path, context: cluster.context },
    };
    const stage = await setStage(place);
    /** The database's workspace, on a machine that knows of others only what the cluster tells. */
    const open = (machine: string) =>
      stage.sql({
        root: join(stage.root, machine),
        holders: (folder) => nearAndFar(holderFile(folder), clusterHolders(cluster, namespace, workspace)),
        look: lookAtProcesses(podUidIn(cluster)),
      });
    return { stage, namespace, open };
  }

  /** Begins to make a database, and resolves when its instance is made and Terraform has not been told. */
  async function inTheMiddle(stage: Stage, sql: Awaited<ReturnType<Stage["sql"]>>) {
    const { made, answer } = holdTheAnswer(stage);
    const end = ensureDataStore(sql, wanted).then(
      () => undefined,
      (error: unknown) => error,
    );
    await made;
    return { end, answer };
  }

  test("is a Secret without the password, locked by a Lease, and gone with what it tells of", async () => {
    const { stage, namespace, open } = await stageInCluster();
    await using _ = stage;
    const sql = await open("here");
    await ensureDataStore(sql, wanted);
    expect(await planOfDataStore(await open("elsewhere"), wanted)).toMatchObject({ changes: false });
    const { items } = await cluster.list(resources.secrets, { namespace });
    expect(items.map(({ metadata }) => metadata.name)).toEqual([`tfstate-default-${workspace}`]);
    const { tfstate } = z.object({ tfstate: z.string() }).parse(items[0]?.data);
    const state = gunzipSync(Buffer.from(tfstate, "base64")).toString("utf8");
    expect(state).toContain("google_sql_user");
    expect(state).not.toContain(password);
    expect(
      (await cluster.list(resources.configMaps, { namespace })).items.map((each) => each.metadata.name),
    ).not.toContain(`terraform-holder-${workspace}`);
    await removeDataStore(sql, wanted, "confirmed-by-person");
    expect(await sql.contents()).toEqual([]);
  });

  test("is not touched while somebody works on it", async () => {
    const { stage, open } = await stageInCluster();
    await using _ = stage;
    const { end, answer } = await inTheMiddle(stage, await open("here"));
    await expect(ensureDataStore(await open("elsewhere"), wanted)).rejects.toMatchObject({
      problem: "locked",
      class: "transient",
      message: expect.stringContaining("demo-create-1 is at it"),
    });
    answer();
    expect(await end).toBeUndefined();
  });

  test("is unlocked by itself where the process that held it is gone", async () => {
    const { stage, open } = await stageInCluster();
    await using _ = stage;
    const sql = await open("here");
    const { end, answer } = await inTheMiddle(stage, sql);
    await killTerraform(sql);
    expect(isTerraformError(await end, "died")).toBe(true);
    answer();
    await ensureDataStore(await open("here"), wanted);
    expect(await planOfDataStore(sql, wanted)).toMatchObject({ changes: false });
    expect([...stage.cloud.of("google_sql_database_instance").keys()]).toEqual(["demo-1"]);
  });

  test("stays locked where nobody knows whether its holder lives, until a person names it", async () => {
    const { stage, namespace, open } = await stageInCluster();
    await using _ = stage;
    const sql = await open("here");
    const { end, answer } = await inTheMiddle(stage, sql);
    await killTerraform(sql);
    await end;
    answer();
    await rm(sql.folder, { recursive: true });
    await clusterHolders(cluster, namespace, workspace).write([], "end");
    const refused = await ensureDataStore(await open("elsewhere"), wanted).catch((error: unknown) => error);
    if (!isTerraformError(refused, "locked") || refused.lock === undefined) throw refused;
    expect(refused).toMatchObject({ class: "conflict", mend: expect.stringContaining(refused.lock.who) });
    const next = await open("elsewhere");
    await expect(ensureDataStore(next, { ...wanted, lockHolder: "root@another" })).rejects.toMatchObject({
      problem: "locked",
    });
    await ensureDataStore(next, { ...wanted, lockHolder: refused.lock.who });
    expect(await planOfDataStore(next, wanted)).toMatchObject({ changes: false });
  });
});
