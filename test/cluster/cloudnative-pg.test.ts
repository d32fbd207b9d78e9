import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { databasesNamespace, labels, namespaceOf, serviceNameSchema } from "../../src/application/names.ts";
import { apply, type Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { isClusterError } from "../../src/cluster/errors.ts";
import { find } from "../../src/cluster/find.ts";
import { resourceOf, resources } from "../../src/cluster/resource.ts";
import { runCommands } from "../../src/commands/program.ts";
import { databaseAccess } from "../../src/guardrails/database-access.ts";
import { secretValues } from "../../src/secrets/rotation.ts";
import { standardsSchema } from "../../src/standards/standards.ts";
import { memoryTerminal, noSandbox } from "../unit/commands/memory-terminal.ts";
import { clusterDefinition, playCloudNativePg } from "./cloudnative-pg.ts";
import { skipped, testConnection, uniqueName } from "./connection.ts";
import { type Operated, openOperated } from "./guardrails/operated.ts";
import { eventually } from "./guardrails/scene.ts";

const connection = testConnection();
if (connection === undefined) console.warn(skipped);

const database = {
  provider: "cloudnative-pg",
  cloudnativepg: {
    image: `registry.example.internal/platform/postgresql:17.5@sha256:${"a".repeat(64)}`,
    instances: 2,
  },
};

/** With the shipped roles and guardrails; what CloudNativePG does is played. */
describe.skipIf(connection === undefined)("a database of CloudNativePG's, on a real API server", () => {
  const service = serviceNameSchema.parse(uniqueName("pg"));
  const namespace = namespaceOf(service);
  const undo: (() => Promise<unknown>)[] = [];
  let operated: Operated;
  let admin: Cluster;
  let path: string;

  beforeAll(async () => {
    if (connection?.kind !== "kubeconfig" || connection.path === undefined) return;
    path = connection.path;
    admin = await connect({ kind: "kubeconfig", path, context: "admin" });
    const ours =
      (await find(admin, resources.customResourceDefinitions, clusterDefinition.metadata)) === undefined;
    await apply(admin, resources.customResourceDefinitions, clusterDefinition);
    if (ours) undo.push(() => admin.delete(resources.customResourceDefinitions, clusterDefinition.metadata));
    await eventually(
      "Clusters are served",
      async () => (await admin.serves(resources.postgresClusters, { refresh: true })) || undefined,
    );
    operated = await openOperated(path);
    const standards = { name: "platform" };
    await admin.patch(resources.standards, standards, { type: "merge", body: { spec: { database } } });
    undo.unshift(() =>
      admin.patch(resources.standards, standards, {
        type: "merge",
        body: { spec: { database: { provider: "in-cluster", cloudnativepg: null } } },
      }),
    );
    for (const object of databaseAccess(standardsSchema.parse({ database }))) {
      await apply(admin, resourceOf(object), object);
    }
    undo.push(() => admin.delete(resources.namespaces, { name: databasesNamespace }));
    const player = playCloudNativePg(admin);
    undo.unshift(() => player.stop());
  }, 180_000);
  afterAll(async () => {
    for (const each of undo) await each();
    await operated?.close([service]);
    await admin?.close();
  }, 180_000);

  const asDeveloper = async (...words: readonly string[]) => {
    const terminal = memoryTerminal();
    const argv = ["--kubeconfig", path, "--context", "developer", ...words];
    const code = await runCommands(argv, { terminal, sandbox: noSandbox, version: "1.2.3" });
    return { code, ...terminal.written };
  };
  const clusters = async () => {
    const labelSelector = `${labels.service}=${service}`;
    return (await admin.list(resources.postgresClusters, { namespace: databasesNamespace, labelSelector }))
      .items;
  };

  test("is asked for by a developer and made by the operator, field by field as it is written", async () => {
    const words = ["--language", "go", "--replicas", "1", "--team", "payments", "--database", "postgres"];
    const { code, out, err } = await asDeveloper("service", "create", service, ...words);
    expect({ code, err }).toMatchObject({ code: 0 });
    const [made] = await clusters();
    const name = made?.metadata.name ?? "";
    const secret = await admin.get(resources.secrets, { namespace, name: `${service}-db` });
    const { password = "", username, host, uri } = secretValues(secret);
    expect({ host, uri }).toEqual({
      host: `${name}-rw.${databasesNamespace}.svc`,
      uri: expect.stringMatching(/^postgresql:\/\/.*\?sslmode=require$/),
    });
    expect(out + err).not.toContain(password);
    // What the definition does not know the server would have left out.
    expect(made?.spec).toMatchObject({
      imageName: database.cloudnativepg.image,
      instances: 2,
      inheritedMetadata: { labels: { [labels.service]: service, [labels.component]: "database" } },
      enableSuperuserAccess: false,
      bootstrap: { initdb: { owner: username, secret: { name: `${name}-login` } } },
      storage: { size: "10Gi" },
      postgresql: { pg_hba: [expect.stringMatching(/^hostssl /), "host all all all reject"] },
      affinity: { enablePodAntiAffinity: true },
    });
    const login = await admin.get(resources.secrets, {
      namespace: databasesNamespace,
      name: `${name}-login`,
    });
    expect(login).toMatchObject({
      type: "kubernetes.io/basic-auth",
      metadata: { ownerReferences: [{ kind: "Cluster", name }] },
    });
    expect(secretValues(login)).toEqual({ username, password });
  });

  test("what nothing would come of is refused by the API server", async () => {
    const edit = (spec: object) =>
      admin
        .patch(resources.applications, { namespace, name: service }, { type: "merge", body: { spec } })
        .then(
          () => "taken",
          (error: unknown) => (error instanceof Error ? error.message : ""),
        );
    expect(await edit({ database: { size: "db-custom-4-16384" } })).toContain(
      "kubectl edit cluster.postgresql",
    );
    expect(await edit({ database: { provider: null } })).toContain(
      "the provider of a database that exists cannot be changed",
    );
  });

  test("the operator writes there what a database is made of, and nothing else", async () => {
    const attempt = (plural: string, body: object) =>
      operated.scene.ask("operator", {
        method: "POST",
        path: `/api/v1/namespaces/${databasesNamespace}/${plural}`,
        body: { apiVersion: "v1", metadata: { name: "attempt" }, ...body },
      });
    const configMap = await attempt("configmaps", { kind: "ConfigMap" });
    expect(configMap).toMatchObject({ status: 403, message: expect.stringContaining("operator-reach") });
    const read = await operated.scene.ask("developer", {
      method: "GET",
      path: `/api/v1/namespaces/${databasesNamespace}/secrets`,
    });
    expect(read.status).toBe(403);
  });

  test("goes with all that CloudNativePG made of it, asked for by name", async () => {
    const [made] = await clusters();
    const name = made?.metadata.name ?? "";
    const { code, err } = await asDeveloper(
      ...["service", "delete", service, "--yes", "--data-stores", "delete", "--confirm", service],
    );
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(await clusters()).toEqual([]);
    const left = await Promise.all(
      [resources.secrets, resources.persistentVolumeClaims, resources.networkPolicies].map(async (resource) =>
        (await admin.listMetadata(resource, { namespace: databasesNamespace })).items
          .map(({ metadata }) => metadata.name)
          .filter((each) => each.startsWith(name)),
      ),
    );
    expect(left.flat()).toEqual([]);
    await expect(
      admin.get(resources.namespaces, { name: namespace }).catch((error: unknown) => {
        if (isClusterError(error, "not-found")) return "gone";
        throw error;
      }),
    ).resolves.toBe("gone");
  }, 300_000);
});
