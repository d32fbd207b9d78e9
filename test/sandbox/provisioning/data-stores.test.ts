import { namespaceOf, type ServiceName } from "../../../src/application/names.ts";
import type { StoreKind } from "../../../src/application/store-provider.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { type Standards, standardsSchema } from "../../../src/standards/standards.ts";
import { cloudStage, cloudStandards } from "../../provisioning/cloud-stage.ts";
import { composition, testStandards } from "../../provisioning/composition.ts";
import { dataStoreContract, type Ground, type ProviderCase } from "../../provisioning/data-store-contract.ts";
import { externalValues, personsSecret } from "../../provisioning/external-secret.ts";
import { openPostgresStage, postgresStandards } from "../../provisioning/postgres-stage.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";
import { terraform } from "../../terraform/stage.ts";

const externalStandards: Standards = standardsSchema.parse({
  ...testStandards,
  dataStores: { external: { ranges: ["10.30.0.0/16"] } },
});

function withSizes(standards: Standards): Standards {
  return standardsSchema.parse({
    ...standards,
    database: {
      ...standards.database,
      storage: "20Gi",
      cloudsql: { ...standards.database.cloudsql, tier: "db-custom-4-15360" },
    },
    cache: {
      ...standards.cache,
      storage: "2Gi",
      memorystore: { ...standards.cache.memorystore, memoryGb: 8 },
    },
  });
}

/** A sandbox of its own. */
async function onSandbox(standards: Standards, opens: Ground["opens"]): Promise<Ground> {
  const stage = await sandboxStage();
  const made = await composition(stage.cluster);
  return {
    cluster: stage.cluster,
    provisioner: (as) => made.provisioner({ standards, ...as }),
    outside: () => [],
    opens,
    async [Symbol.asyncDispose]() {
      await made.close();
      await stage.close();
    },
  };
}

/** A sandbox, and a cloud of the test's own beside it. */
async function inCloud(store: StoreKind): Promise<Ground> {
  const stage = await cloudStage();
  const outside = (service: ServiceName) =>
    stage.instances().filter((name) => name.startsWith(service.slice(0, 28)));
  return {
    cluster: stage.cluster,
    provisioner: (as) => stage.provisioner(as),
    outside,
    opens(service, { username = "", password = "" }) {
      const [instance = ""] = outside(service);
      if (store === "database") return stage.cloud.login(instance, username, password);
      return stage.cloud.of("google_redis_instance").get(instance)?.auth_string === password;
    },
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
}

/** A sandbox with a CloudNativePG. */
async function byCloudNativePg(): Promise<Ground> {
  const stage = await openPostgresStage();
  return {
    cluster: stage.cluster,
    provisioner: (as) => stage.provisioner(as),
    outside: (service) => stage.clustersOf(service),
    async opens(service, { username, password }) {
      const [cluster = ""] = await stage.clustersOf(service);
      const login = await stage.loginOf(cluster);
      return login.username === username && login.password === password;
    },
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
}

// What a real PostgreSQL and a real Redis make of them is told in data-stores/.
const wellFormed: Ground["opens"] = (_, { password = "" }) => /^[0-9a-f]{48}$/.test(password);
const asGiven =
  (store: StoreKind): Ground["opens"] =>
  (_, { password }) =>
    password === externalValues(store).password;

const inCluster = (store: StoreKind): ProviderCase => ({
  title: `${store} in the cluster`,
  store,
  open: () => onSandbox(testStandards, wellFormed),
  add:
    store === "database" ? { operation: "set", database: "postgres" } : { operation: "set", cache: "redis" },
  owned: true,
  larger: withSizes(testStandards),
  resized: store === "database" ? '"memory":"1536Mi"' : '"image":"docker.io/library/redis:8.0.5"',
});

const atGoogle = (store: StoreKind): ProviderCase => ({
  ...inCluster(store),
  title: `${store} at Google`,
  skip: terraform === undefined,
  open: () => inCloud(store),
  larger: withSizes(cloudStandards),
  resized: store === "database" ? /gcloud sql instances patch/ : /gcloud redis instances upgrade/,
  // Each call to Google that fails is told in cloud-failures.test.ts.
  failing: [1, 2],
});

const cloudNativePg: ProviderCase = {
  ...inCluster("database"),
  title: "database that CloudNativePG runs",
  open: byCloudNativePg,
  resized: /kubectl edit cluster\.postgresql\.cnpg\.io/,
  larger: standardsSchema.parse({
    ...postgresStandards,
    database: {
      ...postgresStandards.database,
      cloudnativepg: { ...postgresStandards.database.cloudnativepg, storage: "40Gi", instances: 3 },
    },
  }),
};

const external = (store: StoreKind): ProviderCase => ({
  title: `${store} that exists already`,
  store,
  open: () => onSandbox(externalStandards, asGiven(store)),
  async prepare({ cluster }, service) {
    const secret = personsSecret(namespaceOf(service), "their-login", externalValues(store));
    await cluster.create(resources.secrets, secret);
  },
  add:
    store === "database"
      ? {
          operation: "set",
          database: "postgres",
          databaseSecret: "their-login",
          databaseAddress: "db.acme.example:5432",
        }
      : {
          operation: "set",
          cache: "redis",
          cacheSecret: "their-login",
          cacheAddress: "db.acme.example:6379",
        },
  owned: false,
  larger: withSizes(externalStandards),
  resized: /that it has: leave/,
});

dataStoreContract([
  inCluster("database"),
  inCluster("cache"),
  cloudNativePg,
  external("database"),
  external("cache"),
  atGoogle("database"),
  atGoogle("cache"),
]);
