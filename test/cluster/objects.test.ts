import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cacheSecret, databaseSecret, generatePassword } from "../../src/application/credentials.ts";
import { desiredObjects } from "../../src/application/desired-objects.ts";
import { applicationFor } from "../../src/application/from-request.ts";
import { namespaceOf } from "../../src/application/names.ts";
import { type ServiceRequest, serviceRequestSchema } from "../../src/application/request.ts";
import { apply, type Cluster } from "../../src/cluster/cluster.ts";
import { connect } from "../../src/cluster/connect.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { resourceOf, resources } from "../../src/cluster/resource.ts";
import { installDirectly } from "../../src/installation/directly.ts";
import { standardsSchema } from "../../src/standards/standards.ts";
import { skipped, testConnection, uniqueName } from "./connection.ts";
import { removeGuardrails } from "./unguarded.ts";

const connection = testConnection();
if (connection === undefined) console.warn(skipped);

const clock = {
  now: () => new Date(),
  sleep: (ms: number, signal?: AbortSignal) =>
    setTimeout(ms, undefined, signal === undefined ? {} : { signal }),
};
const standards = standardsSchema.parse({
  teams: { payments: { groups: ["team-payments"] } },
  images: { starter: "registry.example.internal/platform/starter:0.1.0" },
});

function requestOf(fields: Record<string, unknown>): ServiceRequest {
  return serviceRequestSchema.parse({ language: "go", ...fields });
}

/** Everything of a service, Secrets and Application included, the Namespace first. */
function everythingOf(request: ServiceRequest): KubeObject[] {
  const application = applicationFor(request, standards);
  const { namespace, ...others } = desiredObjects(application, standards);
  const password = generatePassword(randomBytes);
  return [
    ...namespace,
    databaseSecret(application, password),
    cacheSecret(application, password),
    application,
    ...Object.values(others).flat(),
  ];
}

describe.skipIf(connection === undefined)("what a service is made of, on a real API server", () => {
  const warnings: string[] = [];
  const made: string[] = [];
  let cluster: Cluster;

  beforeAll(async () => {
    if (connection === undefined) return;
    cluster = await connect(connection, {
      onWarning: (warning, request) => warnings.push(`${request}: ${warning}`),
    });
    await installDirectly(cluster, { clock });
    // What the builders say is judged here, without what the cluster would refuse of it.
    await removeGuardrails(cluster);
  });
  afterAll(async () => {
    await Promise.all(made.map((name) => cluster.delete(resources.namespaces, { name })));
    await cluster.close();
  });

  async function make(request: ServiceRequest): Promise<KubeObject[]> {
    const [namespace, ...others] = everythingOf(request);
    if (namespace === undefined) throw new Error("no namespace");
    made.push(namespaceOf(request.name));
    await apply(cluster, resources.namespaces, namespace);
    return Promise.all(others.map((object) => apply(cluster, resourceOf(object), object)));
  }

  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error(`not within a minute: ${what}`);
      await setTimeout(100);
    }
  }

  test.each([
    ["the least", { exposure: "none", alerts: [], replicas: 1 }],
    ["an internal one with a database", { exposure: "internal", database: "postgres" }],
    [
      "the longest name, with everything",
      { exposure: "public", database: "postgres", cache: "redis", replicas: 3, long: true },
    ],
  ])(
    "%s is accepted without a warning, and its pods get Ready",
    async (_, { long, ...fields }: Record<string, unknown>) => {
      const name = long === true ? uniqueName("objects").padEnd(46, "x") : uniqueName("objects");
      const request = requestOf({ name, ...fields });
      const objects = await make(request);
      expect(warnings).toEqual([]);

      const namespace = namespaceOf(request.name);
      const pods =
        Number(request.replicas) + (request.database === "none" ? 0 : 1) + (request.cache === "none" ? 0 : 1);
      await until(`${pods} pods of ${namespace}`, async () => {
        const { items } = await cluster.list(resources.pods, { namespace });
        return (
          items.filter(
            ({ status }) =>
              JSON.stringify(status).includes('"type":"Ready"') &&
              JSON.stringify(status).includes('"phase":"Running"'),
          ).length === pods
        );
      });

      // Written again, nothing changes: what we send is what the server keeps.
      const again = await Promise.all(
        objects.map(async (object) => {
          const sent = everythingOf(request).find(
            ({ kind, metadata }) => kind === object.kind && metadata.name === object.metadata.name,
          );
          if (sent === undefined || sent.kind === "Secret") return [];
          const current = await cluster.get(resourceOf(object), {
            name: sent.metadata.name,
            ...(sent.metadata.namespace === undefined ? {} : { namespace: sent.metadata.namespace }),
          });
          const after = await apply(cluster, resourceOf(object), sent);
          return current.metadata.generation === after.metadata.generation
            ? []
            : [`${sent.kind}/${sent.metadata.name}`];
        }),
      );
      expect(again.flat()).toEqual([]);
      expect(warnings).toEqual([]);
    },
  );

  test("a pod that is not restricted would be warned of, a field that no CRD knows refused", async () => {
    const request = requestOf({ name: uniqueName("objects"), replicas: 1 });
    await make(request);
    const spoilt = (kind: string, from: string, to: string): KubeObject => {
      const text = JSON.stringify(everythingOf(request).find((object) => object.kind === kind));
      expect(text).toContain(from);
      return JSON.parse(text.replace(from, to));
    };
    const created = (object: KubeObject) =>
      cluster.create(
        resourceOf(object),
        { ...object, metadata: { ...object.metadata, name: "spoilt" } },
        { dryRun: true },
      );
    const before = warnings.length;
    await created(
      spoilt("Deployment", '"allowPrivilegeEscalation":false', '"allowPrivilegeEscalation":true'),
    );
    expect(warnings.splice(before)).toEqual([expect.stringContaining("allowPrivilegeEscalation")]);
    await expect(created(spoilt("ServiceMonitor", '"jobLabel":', '"jobLable":'))).rejects.toThrow(/jobLable/);
  });

  test("an Application cannot be one that no service could be, nor change hands", async () => {
    const request = requestOf({ name: uniqueName("objects") });
    await make(request);
    const ref = { namespace: namespaceOf(request.name), name: request.name };
    const merge = (spec: object) =>
      cluster.patch(resources.applications, ref, { type: "merge", body: { spec } });
    await expect(merge({ team: "search" })).rejects.toThrow(/owning team cannot be changed/);
    await expect(merge({ language: "typescript" })).rejects.toThrow(/language cannot be changed/);
    await expect(merge({ replicas: 51 })).rejects.toMatchObject({ kind: "invalid" });
    await expect(merge({ image: "$(x)" })).rejects.toMatchObject({ kind: "invalid" });
    const stored = await cluster.get(resources.applications, ref);
    const named = (name: string) => ({
      apiVersion: stored.apiVersion,
      kind: stored.kind,
      metadata: { name, namespace: ref.namespace },
      spec: stored.spec,
    });
    for (const name of ["a".repeat(47), "1st", "a.b"]) {
      await expect(cluster.create(resources.applications, named(name))).rejects.toThrow(/service's name/);
    }
    await cluster.patch(
      resources.applications,
      ref,
      { type: "merge", body: { spec: { replicas: 4 } } },
      { subresource: "scale" },
    );
    expect(await cluster.get(resources.applications, ref)).toMatchObject({ spec: { replicas: 4 } });
    const { columns } = await cluster.listTable(resources.applications, { namespace: ref.namespace });
    expect(columns.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["Ready", "Replicas", "Image", "Age"]),
    );
  });

  test("the owning team reads everything but Secrets and edits its Application; another team changes nothing", async () => {
    const request = requestOf({ name: uniqueName("objects") });
    await make(request);
    const namespace = namespaceOf(request.name);
    const as = async (context: string) => {
      const person = testConnection(context);
      if (person === undefined) throw new Error("no kubeconfig");
      const other = await connect(person);
      const can = (verb: string, group: string, resource: string, subresource?: string) =>
        other.can({
          verb,
          group,
          resource,
          namespace,
          ...(subresource === undefined ? {} : { subresource }),
        });
      const answers = {
        pods: await can("list", "", "pods"),
        logs: await can("get", "", "pods", "log"),
        deployments: await can("watch", "apps", "deployments"),
        routes: await can("get", "gateway.networking.k8s.io", "httproutes"),
        edit: await can("update", "platform.company.com", "applications"),
        remove: await can("delete", "platform.company.com", "applications"),
        secrets: (await can("get", "", "secrets")) || (await can("list", "", "secrets")),
        exec: await can("create", "", "pods", "exec"),
        changeDeployment: await can("patch", "apps", "deployments"),
      };
      await other.close();
      return answers;
    };
    const changes = { edit: false, remove: false, secrets: false, exec: false, changeDeployment: false };
    // The authorizer sees a new binding a moment after it is written.
    await until("the team's rights", async () => (await as("developer")).edit);
    expect(await as("developer")).toEqual({
      ...changes,
      pods: true,
      logs: true,
      deployments: true,
      routes: true,
      edit: true,
    });
    expect(await as("developer2")).toMatchObject(changes);
  });
});
