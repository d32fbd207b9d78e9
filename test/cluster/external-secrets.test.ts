import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { secretsOfStore } from "../../src/application/credentials.ts";
import { applicationFor } from "../../src/application/from-request.ts";
import { namespaceOf, serviceNameSchema } from "../../src/application/names.ts";
import { serviceRequestSchema } from "../../src/application/request.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import { find } from "../../src/cluster/find.ts";
import { resourceOf, resources } from "../../src/cluster/resource.ts";
import { secretStoreOf } from "../../src/secrets/choose-store.ts";
import { dataHashAnnotation, requestsFor } from "../../src/secrets/external-secrets.ts";
import { secretValues } from "../../src/secrets/rotation.ts";
import { standardsSchema } from "../../src/standards/standards.ts";
import { type Composition, composition, testStandards } from "../provisioning/composition.ts";
import { skipped, testConnection, uniqueName } from "./connection.ts";
import { playExternalSecrets } from "./external-secrets.ts";
import { refusedBy } from "./guardrails/requests.ts";
import { openScene, type Scene } from "./guardrails/scene.ts";

const connection = testConnection();
if (connection === undefined) console.warn(skipped);

const standards = standardsSchema.parse({ ...testStandards, secrets: { store: "external-secrets" } });

/** With the real definitions of External Secrets Operator; what it does is played. */
describe.skipIf(connection === undefined)("External Secrets Operator's kinds, on a real API server", () => {
  let cluster: Cluster;
  let made: Composition;

  beforeAll(async () => {
    if (connection === undefined) return;
    cluster = await connect(connection);
    made = await composition(cluster);
  });
  afterAll(async () => {
    await made?.close();
    await cluster?.close();
  });
  const hasThem = () => cluster.serves(resources.externalSecrets);

  test("what asks for a credential is what the real definitions take, field by field", async ({ skip }) => {
    if (!(await hasThem())) skip("the cluster does not serve ExternalSecret");
    const request = serviceRequestSchema.parse({
      name: "shop",
      language: "go",
      team: "platform",
      database: "postgres",
      cache: "redis",
    });
    const application = applicationFor(request, standards);
    const place = { ...application, metadata: { ...application.metadata, namespace: "default" } };
    for (const secretOf of Object.values(secretsOfStore).flat()) {
      for (const remote of [undefined, { store: "vault", key: "platform_platform_shop_db" }]) {
        for (const object of requestsFor(secretOf(place, "PASSWORD.HERE"), remote)) {
          // What a schema does not know the server would leave out.
          const answer = await cluster.create(resourceOf(object), object, { dryRun: true });
          expect(answer.spec).toMatchObject(object.spec ?? {});
        }
      }
    }
  });

  test("a service is made with credentials that somebody else makes, and goes without a trace", async ({
    skip,
  }) => {
    if (!(await hasThem())) skip("the cluster does not serve ExternalSecret");
    const name = serviceNameSchema.parse(uniqueName("eso"));
    const namespace = namespaceOf(name);
    onTestFinished(() => cluster.delete(resources.namespaces, { name: namespace }).catch(() => undefined));
    const player = playExternalSecrets(cluster, namespace);
    onTestFinished(() => player.stop());
    const request = serviceRequestSchema.parse({ name, language: "go", replicas: 1, database: "postgres" });
    const provisioner = made.provisioner({ standards });
    const created = await (await provisioner.create(request, { onFailure: "hold" })).finished;
    expect(created.phase, JSON.stringify(created.failure)).toBe("Succeeded");
    const secret = await cluster.get(resources.secrets, { namespace, name: `${name}-db` });
    expect(secret.metadata.labels).toMatchObject({
      "platform.company.com/managed": "true",
      "platform.company.com/run": created.name,
      "reconcile.external-secrets.io/managed": "true",
    });
    const { password = "", uri } = secretValues(secret);
    expect(uri).toContain(`:${password}@`);
    expect(
      JSON.stringify(await cluster.list(resources.runs, { namespace: "platform-system" })),
    ).not.toContain(password);
    const gone = await (await provisioner.delete(name, { dataStores: "delete", confirmed: name })).finished;
    expect(gone.phase, JSON.stringify(gone.failure)).toBe("Succeeded");
    expect(await find(cluster, resources.namespaces, { name: namespace })).toBeUndefined();
  });

  test("a run that never gets its credentials rolls back, and says why in the words of who was to make them", async ({
    skip,
  }) => {
    if (!(await hasThem())) skip("the cluster does not serve ExternalSecret");
    const name = serviceNameSchema.parse(uniqueName("eso-late"));
    const namespace = namespaceOf(name);
    onTestFinished(() => cluster.delete(resources.namespaces, { name: namespace }).catch(() => undefined));
    const player = playExternalSecrets(cluster, namespace, { fails: "store is sealed" });
    onTestFinished(() => player.stop());
    const request = serviceRequestSchema.parse({ name, language: "go", replicas: 1, database: "postgres" });
    const workload = { ...standards.workload, progressDeadlineSeconds: 10 };
    const provisioner = made.provisioner({ standards: { ...standards, workload } });
    const failed = await (await provisioner.create(request, { onFailure: "rollback" })).finished;
    expect(failed.phase).toBe("RolledBack");
    expect(failed.failure?.error.message).toContain("store is sealed");
    expect(await find(cluster, resources.namespaces, { name: namespace })).toBeUndefined();
  });
});

describe.skipIf(connection === undefined)(
  "credentials by External Secrets Operator, under guardrails",
  () => {
    let scene: Scene;
    beforeAll(async () => {
      if (connection?.kind !== "kubeconfig" || connection.path === undefined) return;
      scene = await openScene(connection.path);
    });
    afterAll(() => scene?.close());

    test("it makes a Secret, and the platform takes it over: from then on nobody else deletes it", async ({
      skip,
    }) => {
      const { own, service } = scene;
      const account = "system:serviceaccount:external-secrets:external-secrets";
      const role = `${service}-external-secrets`;
      const rbac = "/apis/rbac.authorization.k8s.io/v1";
      const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: account }];
      const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" };
      await scene.ask("admin", {
        method: "POST",
        path: `${rbac}/namespaces/${own}/rolebindings`,
        body: {
          apiVersion: "rbac.authorization.k8s.io/v1",
          kind: "RoleBinding",
          metadata: { name: role },
          roleRef,
          subjects,
        },
      });
      const asEso = (method: "POST" | "PATCH" | "DELETE", path: string, body?: unknown) =>
        scene.ask("admin", { method, path, body, impersonate: [account, "system:authenticated"] });

      const request = serviceRequestSchema.parse({
        name: service,
        language: "go",
        team: "payments",
        cache: "redis",
      });
      const application = applicationFor(request, scene.standards);
      const [secretOf] = secretsOfStore.cache;
      const requests = secretStoreOf({ secrets: { store: "external-secrets", clusterSecretStore: "vault" } })
        .objectsOf(application, secretOf)
        .filter(({ kind }) => kind !== "Secret");
      for (const object of requests) {
        const { group, version, plural } = resourceOf(object);
        const path = `/apis/${group}/${version}/namespaces/${own}/${plural}`;
        const answer = await scene.ask("operator", { method: "POST", path, body: object });
        if (answer.status === 404) skip("the cluster does not serve ExternalSecret");
        expect(refusedBy(answer), `${object.kind}: ${answer.message}`).toBeUndefined();
        // Teams see them, and write none.
        const seen = await scene.ask("developer", { method: "GET", path: `${path}/${object.metadata.name}` });
        expect(refusedBy(seen)).toBeUndefined();
        const written = await scene.ask("developer", { method: "POST", path, body: object });
        expect(refusedBy(written)).toBe("RBAC");
      }
      const secrets = `/api/v1/namespaces/${own}/secrets`;
      const { labels, name } = secretOf(application, "").metadata;
      const secret = {
        ...secretOf(application, randomBytes(20).toString("hex")),
        immutable: true,
        metadata: { name, annotations: { [dataHashAnnotation]: "1" } },
      };
      const labelled = { ...secret, metadata: { ...secret.metadata, labels } };
      await expect.poll(async () => refusedBy(await asEso("POST", secrets, labelled))).toBe("labels");
      expect(refusedBy(await asEso("POST", secrets, secret))).toBeUndefined();
      const at = `${secrets}/${name}`;
      const adopted = await scene.ask("operator", {
        method: "PATCH",
        path: at,
        body: { metadata: { labels } },
      });
      expect(refusedBy(adopted), adopted.message).toBeUndefined();
      const mark = { metadata: { labels: { "reconcile.external-secrets.io/managed": "true" } } };
      expect(refusedBy(await asEso("PATCH", at, mark))).toBeUndefined();
      expect(refusedBy(await asEso("DELETE", at))).toBe("managed-objects");
    });
  },
);
