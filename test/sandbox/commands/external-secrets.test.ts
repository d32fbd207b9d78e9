import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { secretValues } from "../../../src/secrets/rotation.ts";
import { type Commands, commandsOnSandbox } from "./commands.ts";

const kinds = [resources.externalSecrets, resources.pushSecrets, resources.passwords, resources.secrets];

/** Commands under standards that have External Secrets Operator make passwords. */
async function withStore(clusterSecretStore?: string, workload: object = { progressDeadlineSeconds: 3600 }) {
  const commands = await commandsOnSandbox();
  const file = join(commands.repositories, "..", "platform.yaml");
  const secrets = { store: "external-secrets", ...(clusterSecretStore ? { clusterSecretStore } : {}) };
  const images = { starter: "registry.example.internal/platform/starter:0.1.0" };
  await writeFile(file, stringify({ secrets, images, workload }));
  const run = (...words: readonly string[]) => commands.run("--standards", file, ...words);
  return { ...commands, run };
}

const create = (...more: readonly string[]) =>
  ["service", "create", "shop", "--language", "go", "--database", "postgres", ...more] as const;
const remove = ["service", "delete", "shop", "--data-stores", "delete", "--confirm", "shop"] as const;

async function objectsIn({ cluster }: Pick<Commands, "cluster">, namespace: string) {
  const lists = await Promise.all(
    kinds.map(async (resource) =>
      (await cluster.list(resource, { namespace })).items.map(
        (item): KubeObject => ({ ...item, kind: resource.kind }),
      ),
    ),
  );
  return lists
    .flat()
    .filter(({ metadata }) => metadata.name.startsWith("shop-") || namespace !== "app-shop")
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    .sort();
}

test("credentials are made by External Secrets Operator, once, and go with their data store", async () => {
  const commands = await withStore();
  const { run, cluster } = commands;
  const dry = await run(...create("--cache", "redis", "--dry-run"));
  expect(dry.out).toContain("refreshPolicy: CreatedOnce");
  const made = await run(...create("--cache", "redis"));
  expect(made, made.err).toMatchObject({ code: 0 });
  expect(await objectsIn(commands, "app-shop")).toEqual(
    ["ExternalSecret", "Password", "Secret"].flatMap((kind) =>
      ["shop-cache", "shop-cache-admin", "shop-db"].map((name) => `${kind} ${name}`),
    ),
  );
  const secret = await cluster.get(resources.secrets, { namespace: "app-shop", name: "shop-db" });
  const { password = "", uri, username } = secretValues(secret);
  expect(password).toMatch(/^[A-Za-z0-9]{40}$/);
  expect(uri).toBe(`postgresql://app_shop:${password}@shop-db.app-shop.svc:5432/app_shop?sslmode=disable`);
  expect({ username, immutable: secret.immutable }).toEqual({ username: "app_shop", immutable: true });

  const listed = JSON.parse((await run("secret", "list", "shop", "-o", "json")).out);
  expect(listed.items.map(({ rotates }: { rotates: boolean }) => rotates)).toEqual([false, false, false]);
  expect(await run("secret", "rotate", "shop", "database", "--yes")).toMatchObject({
    code: 2,
    err: expect.stringContaining("made by External Secrets Operator and cannot be changed"),
  });
  expect(await run("service", "scale", "shop", "--replicas", "3")).toMatchObject({ code: 0 });
  expect((await run("orphans", "list", "-o", "name")).out).toBe("");

  const runs = await cluster.list(resources.runs, { namespace: "platform-system" });
  expect(JSON.stringify(runs.items)).not.toContain(password);
  expect(made.out + made.err).not.toContain(password);

  const kept = await run(
    "service",
    "set",
    "shop",
    "--cache",
    "none",
    "--data-stores",
    "delete",
    "--confirm",
    "shop",
  );
  expect(kept, kept.err).toMatchObject({ code: 0 });
  expect(await objectsIn(commands, "app-shop")).toEqual([
    "ExternalSecret shop-db",
    "Password shop-db",
    "Secret shop-db",
  ]);
  expect(await run(...remove)).toMatchObject({ code: 0 });
  expect(await objectsIn(commands, "app-shop")).toEqual([]);
});

test("a store outside of the cluster keeps the password under a key of team and service, and gives it back", async () => {
  const commands = await withStore("vault");
  const { run, cluster } = commands;
  expect(await run(...create())).toMatchObject({
    code: 4,
    err: expect.stringContaining("there is no ClusterSecretStore vault"),
  });
  expect((await cluster.list(resources.runs)).items).toEqual([]);
  await cluster.create(resources.clusterSecretStores, {
    apiVersion: "external-secrets.io/v1",
    kind: "ClusterSecretStore",
    metadata: { name: "vault" },
    spec: { provider: { vault: { server: "https://vault.example.internal", path: "secret" } } },
  });
  const made = await run(...create());
  expect(made, made.err).toMatchObject({ code: 0 });
  const request = await cluster.get(resources.externalSecrets, { namespace: "app-shop", name: "shop-db" });
  expect(request.spec).toMatchObject({
    data: [{ secretKey: "password", remoteRef: { key: "platform_platform_shop_db", property: "password" } }],
  });
  const kept = async () => (await cluster.list(resources.secrets, { namespace: "external-secrets" })).items;
  const inStore = await kept();
  const secret = await cluster.get(resources.secrets, { namespace: "app-shop", name: "shop-db" });
  expect(inStore.map(secretValues)).toEqual([{ password: secretValues(secret).password }]);
  expect(await run(...remove)).toMatchObject({ code: 0 });
  expect(await kept()).toEqual([]);
});

test("a password that does not come to be fails the run with the store's words, and nothing remains", async () => {
  const commands = await withStore("vault", { progressDeadlineSeconds: 10 });
  const { run, cluster } = commands;
  await cluster.create(resources.clusterSecretStores, {
    apiVersion: "external-secrets.io/v1",
    kind: "ClusterSecretStore",
    metadata: { name: "vault" },
    spec: {},
  });
  // Something else is there under the key.
  await cluster.create(resources.secrets, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "external-secrets", name: "vault.platform.platform.shop.db" },
    data: { other: "eA==" },
  });
  const failed = await run(...create());
  expect(failed.code, failed.err).toBe(1);
  expect(failed.out + failed.err).toMatch(/ExternalSecret shop-db: error retrieving secret/);
  // However long it was waited for.
  const { items } = await cluster.list(resources.runs, { namespace: "platform-system" });
  const intents = JSON.stringify(items[0]?.status).match(
    /"EffectsIntended"[^{]*"step":"provision_database"/g,
  );
  expect(intents?.length).toBe(3);
  expect((await run("orphans", "list", "-o", "name")).out).toBe("");
  expect((await run("service", "list", "-o", "name")).out).toBe("");
});

test("somebody's Secret of the same name is left as it is", async () => {
  const commands = await withStore();
  const { run, cluster } = commands;
  expect(await run("service", "create", "shop", "--language", "go")).toMatchObject({ code: 0 });
  const theirs = await cluster.create(resources.secrets, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "app-shop", name: "shop-db" },
    data: { password: "eA==" },
  });
  const refused = await run("service", "set", "shop", "--database", "postgres", "--yes");
  expect(refused.code).toBe(1);
  expect(refused.out + refused.err).toContain("secret shop-db in app-shop exists and is not shop's");
  expect(await objectsIn(commands, "app-shop")).toEqual(["Secret shop-db"]);
  expect((await cluster.get(resources.secrets, theirs.metadata)).metadata).toEqual(theirs.metadata);
});

test("what was taken over from it, as the runbook has it, rotates", async () => {
  const commands = await withStore();
  const { run, cluster } = commands;
  expect(await run(...create())).toMatchObject({ code: 0 });
  const ref = { namespace: "app-shop", name: "shop-db" };
  for (const kind of [resources.externalSecrets, resources.passwords]) await cluster.delete(kind, ref);
  const { immutable: _, ...secret } = await cluster.get(resources.secrets, ref);
  await cluster.delete(resources.secrets, ref);
  const { labels = {} } = secret.metadata;
  await cluster.create(resources.secrets, { ...secret, metadata: { ...ref, labels } });
  const rotated = await run("secret", "rotate", "shop", "database", "--yes");
  expect(rotated, rotated.err).toMatchObject({ code: 0 });
  expect(secretValues(await cluster.get(resources.secrets, ref)).username).toBe("app_shop_2");
  expect((await run("orphans", "list", "-o", "name")).out).toBe("");
});
