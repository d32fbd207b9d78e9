import { databasesNamespace, labels, type ServiceName } from "../../src/application/names.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { isClusterError } from "../../src/cluster/errors.ts";
import { resources } from "../../src/cluster/resource.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import { installDirectly } from "../../src/installation/directly.ts";
import type { CloudStores } from "../../src/provisioning/data-stores/cloud-stores.ts";
import { cloudNativePgStores } from "../../src/provisioning/data-stores/cloudnative-pg.ts";
import { loginOfCluster } from "../../src/provisioning/data-stores/postgres-cluster.ts";
import type { Provisioner } from "../../src/provisioning/provisioner.ts";
import { secretValues } from "../../src/secrets/rotation.ts";
import { type Standards, standardsSchema } from "../../src/standards/standards.ts";
import { difference, inventory } from "../cluster/inventory.ts";
import { type Composition, composition, impatient, testStandards } from "./composition.ts";
import { sandboxStage } from "./sandbox-stage.ts";

/** An image of CloudNativePG's, as standards name it. */
export const postgresImage = `registry.example.internal/platform/postgresql:17.5@sha256:${"a".repeat(64)}`;

/** Standards that have CloudNativePG run databases. */
export const postgresStandards: Standards = standardsSchema.parse({
  ...testStandards,
  database: { provider: "cloudnative-pg", cloudnativepg: { image: postgresImage } },
});

/** A sandbox with a CloudNativePG, and provisioners that use it. */
export interface PostgresStage extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly stores: CloudStores;
  provisioner(as?: Parameters<Composition["provisioner"]>[0]): Provisioner;
  /** Names of the Clusters of a service. */
  clustersOf(service: ServiceName): Promise<readonly string[]>;
  /** What the Secret beside a Cluster says. */
  loginOf(cluster: string): Promise<Readonly<Record<string, string>>>;
  /** What is left of a service, wherever, but for its runs. */
  leftOf(service: ServiceName): Promise<readonly string[]>;
}

/** Opens one. @param on - standards it is installed with */
export async function openPostgresStage(on: Standards = postgresStandards): Promise<PostgresStage> {
  const stage = await sandboxStage();
  const { cluster } = stage;
  await installDirectly(cluster, { standards: on, clock: systemTiming });
  const made = await composition(cluster);
  const stores: CloudStores = cloudNativePgStores({ cluster, clock: impatient, readyWithinMs: 30_000 });
  return {
    cluster,
    stores,
    provisioner: (as) => made.provisioner({ cloud: stores, standards: postgresStandards, ...as }),
    async clustersOf(service) {
      const labelSelector = `${labels.service}=${service}`;
      try {
        const { items } = await cluster.list(resources.postgresClusters, {
          namespace: databasesNamespace,
          labelSelector,
        });
        return items.map(({ metadata }) => metadata.name);
      } catch (error) {
        if (isClusterError(error, "not-found")) return [];
        throw error;
      }
    },
    async loginOf(name) {
      const ref = { namespace: databasesNamespace, name: loginOfCluster(name) };
      return secretValues(await cluster.get(resources.secrets, ref));
    },
    async leftOf(service) {
      const found = difference(new Map(), await inventory(cluster, { about: service })).added;
      return found.filter((key) => !key.startsWith("runs.platform.company.com "));
    },
    async [Symbol.asyncDispose]() {
      await made.close();
      await stage.close();
    },
  };
}
