import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { desiredObjects } from "../../../../src/application/desired-objects.ts";
import { applicationOf } from "../../../../src/application/from-request.ts";
import { databasesNamespace, labels, serviceNameSchema } from "../../../../src/application/names.ts";
import { judgeConnection, type NetworkPod } from "../../../../src/application/network-evaluator.ts";
import { clusterPodLabels } from "../../../../src/application/postgres-cluster.ts";
import { applicationSpecSchema } from "../../../../src/application/schema.ts";
import type { KubeObject } from "../../../../src/cluster/object.ts";
import { databaseAccess } from "../../../../src/guardrails/database-access.ts";
import {
  cloudStoreIn,
  newCloudStore,
  recordOf,
  storeOfEffect,
  workspaceEffect,
} from "../../../../src/provisioning/data-stores/cloud-store.ts";
import {
  clusterObjects,
  postgresClusterSchema,
} from "../../../../src/provisioning/data-stores/postgres-cluster.ts";
import { offersOf } from "../../../../src/provisioning/data-stores/terms.ts";
import { effectKey, effectSchema } from "../../../../src/provisioning/effect.ts";
import { loginObjects } from "../../../../src/secrets/login-job.ts";
import { type Standards, standardsSchema } from "../../../../src/standards/standards.ts";

const image = `registry.example.internal/postgresql:17.5@sha256:${"a".repeat(64)}`;
const standardsWith = (cloudnativepg: object = {}, more: object = {}): Standards =>
  standardsSchema.parse({
    ...more,
    images: { starter: "registry.example.internal/starter:1" },
    database: { provider: "cloudnative-pg", cloudnativepg: { image, ...cloudnativepg } },
  });
const standards = standardsWith();

const service = (name: string, database: object = {}, more: object = {}) =>
  applicationOf(
    serviceNameSchema.parse(name),
    applicationSpecSchema.parse({
      team: "platform",
      image: "registry.example.internal/shop:1",
      database: { type: "postgres", provider: "cloudnative-pg", ...database },
      ...more,
    }),
  );
const shop = service("shop");
const made = (application = shop, incarnation = "one", by = standards) =>
  newCloudStore(application, by, "database", incarnation);
const objectsOf = (application = shop, by = standards) => {
  const store = made(application, "one", by);
  return clusterObjects(store.identity, postgresClusterSchema.parse(store.variables), "a-password");
};

const serviceNames = fc.stringMatching(/^[a-z]([-a-z0-9]{0,44}[a-z0-9])?$/);

describe("the name of a Cluster", () => {
  test("is one that CloudNativePG takes, and no other service's nor an earlier one's", () => {
    fc.assert(
      fc.property(serviceNames, serviceNames, fc.string(), fc.string(), (one, other, first, second) => {
        const name = made(service(one), first).variables.name;
        expect(name).toMatch(/^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$/);
        expect(made(service(one), first).variables.name).toBe(name);
        if (one !== other) expect(made(service(other), first).variables.name).not.toBe(name);
        if (first !== second) expect(made(service(one), second).variables.name).not.toBe(name);
      }),
    );
  });
});

describe("what is known of a database that CloudNativePG runs", () => {
  test("is read back from its record as it was written, whatever the standards say later", () => {
    const store = made();
    const record = recordOf(shop, "database", store);
    expect(cloudStoreIn(record)).toEqual(store);
    expect(JSON.stringify(record)).not.toContain("a-password");
  });

  test("is enough in the journal to remove it where its record is gone", () => {
    const store = made();
    const effect = effectSchema.parse(JSON.parse(JSON.stringify(workspaceEffect(store))));
    if (effect.kind !== "workspace") throw new Error("no workspace");
    const known = storeOfEffect(effect);
    expect([known.provider, known.variables.name, known.identity]).toEqual([
      "cloudnative-pg",
      store.variables.name,
      store.identity,
    ]);
    expect(effectKey(workspaceEffect(known))).toBe(effectKey(effect));
  });

  test("of one at Google reads as it did before there were others", () => {
    const effect = {
      ...{ kind: "workspace", provider: "cloudsql", name: "w", namespace: "app-a", store: "a-db" },
      ...{ project: "acme-prod", region: "us-central1", instance: "a-1" },
    };
    expect(effectSchema.parse(effect)).toEqual(effect);
  });

  test.each(["streaming_replica", "cnpg_pooler_pgbouncer", "CNPG_x"])(
    "user %s, which is CloudNativePG's own, is refused",
    (user) => {
      expect(() => made(service("shop", { user }))).toThrow("CloudNativePG's own");
    },
  );

  test("the size that an Application asks for is what each of its pods has", () => {
    const size = { cpu: "2", memory: "8192Mi" };
    expect(objectsOf(service("shop", { size: "db-custom-2-8192" })).cluster.spec).toMatchObject({
      resources: { requests: size, limits: size },
    });
  });
});

describe("standards with CloudNativePG", () => {
  const problemsOf = (database: object, more: object = {}) =>
    standardsSchema.safeParse({ database, ...more }).error?.issues.map(({ message }) => message);
  test("want an image by version and digest, 15 or later, from where images may come", () => {
    expect(problemsOf({ provider: "cloudnative-pg" })).toEqual(["needs database.cloudnativepg: its image"]);
    for (const wrong of [
      "postgresql:17.5",
      "postgresql:latest",
      `postgresql:14.2@sha256:${"a".repeat(64)}`,
    ]) {
      expect(problemsOf({ cloudnativepg: { image: wrong } }), wrong).toEqual([
        "is not PostgreSQL 15 or later by version and digest, NAME:17.5@sha256:…",
      ]);
    }
    expect(problemsOf({ cloudnativepg: { image } }, { images: { registries: ["gcr.io/acme/"] } })).toEqual([
      "is from none of images.registries",
    ]);
    expect(problemsOf({ cloudnativepg: { image } })).toBeUndefined();
  });

  test("offer it with its pods, its price and what guards its data", () => {
    const prices = { currency: "EUR", cluster: { cpu: 20, memoryGib: 4, storageGib: 0.5 } };
    const { database } = offersOf(standardsWith({ instances: 3, storage: "20Gi" }, { prices }));
    expect(database).toMatchObject({
      provider: "cloudnative-pg",
      runs: "postgresql 17.5 by CloudNativePG in the cluster",
      size: "3 pods, each 100m CPU, 256Mi memory, 20Gi volume",
      // Three times 2 of the CPU, 1 of the memory and 10 of the volume.
      price: { amount: 39, currency: "EUR" },
    });
    expect(database.protection).toContain("another pod takes over where one fails");
    expect(offersOf(standards).database.protection).toContain("one pod: no failover");
  });
});

describe("the paths to a database that CloudNativePG runs", () => {
  const pod = (namespace: string, own: Readonly<Record<string, string>>): NetworkPod => ({
    namespace,
    labels: own,
  });
  const of = (name: string, component: string) =>
    pod(`app-${name}`, { [labels.service]: name, [labels.component]: component });
  const instanceOf = (name: string) =>
    pod(databasesNamespace, {
      ...clusterPodLabels({ name }),
      "cnpg.io/cluster": made(service(name)).variables.name,
    });
  const flat = (application: typeof shop): readonly KubeObject[] => {
    const { namespace, network } = desiredObjects(application, standards);
    return [
      ...namespace,
      ...network,
      ...loginObjects(application, standards, "database").policies,
      objectsOf(application).beside.policy,
    ];
  };
  const policies = [...flat(shop), ...flat(service("cart")), ...databaseAccess(standards)].filter(
    ({ kind }) => kind === "NetworkPolicy",
  );
  const managed = { [labels.managed]: "true" };
  const world = {
    policies,
    namespaces: {
      "app-shop": managed,
      "app-cart": managed,
      [databasesNamespace]: {},
      "cnpg-system": {},
      monitoring: {},
      elsewhere: {},
    },
  };
  const allowed = (from: NetworkPod, to: NetworkPod, port: number) =>
    judgeConnection(world, { from: { pod: from }, to: { pod: to }, port }).allowed;

  test("are open to the service's own pods and its login, on one port", () => {
    for (const component of ["workload", "login"]) {
      expect(allowed(of("shop", component), instanceOf("shop"), 5432), component).toBe(true);
      expect(allowed(of("shop", component), instanceOf("shop"), 8000), component).toBe(false);
    }
    expect(allowed(of("shop", "cache"), instanceOf("shop"), 5432)).toBe(false);
  });

  test("are closed to every other service, database and namespace, and in the other direction", () => {
    expect(allowed(of("cart", "workload"), instanceOf("shop"), 5432)).toBe(false);
    expect(allowed(instanceOf("cart"), instanceOf("shop"), 5432)).toBe(false);
    expect(allowed(pod("elsewhere", of("shop", "workload").labels), instanceOf("shop"), 5432)).toBe(false);
    expect(allowed(instanceOf("shop"), of("shop", "workload"), 8080)).toBe(false);
  });

  test("are open to what runs and watches it, and between its own pods", () => {
    for (const port of [5432, 8000]) {
      expect(allowed(pod("cnpg-system", {}), instanceOf("shop"), port)).toBe(true);
      expect(allowed(instanceOf("shop"), instanceOf("shop"), port)).toBe(true);
    }
    expect(allowed(pod("monitoring", {}), instanceOf("shop"), 9187)).toBe(true);
    expect(allowed(pod("monitoring", {}), instanceOf("shop"), 5432)).toBe(false);
    expect(allowed(pod("elsewhere", {}), instanceOf("shop"), 8000)).toBe(false);
  });

  test("a login without TLS, or as anybody else, is refused by the database itself", () => {
    expect(objectsOf().cluster.spec).toMatchObject({
      enableSuperuserAccess: false,
      postgresql: {
        pg_hba: ['hostssl "app_shop" "app_shop" all scram-sha-256', "host all all all reject"],
      },
    });
  });
});
