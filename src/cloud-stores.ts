import { dirname, join } from "node:path";
import { stateNamespace } from "./application/names.ts";
import type { Cluster } from "./cluster/cluster.ts";
import { kubeconfigPaths } from "./cluster/kubeconfig.ts";
import type { Timing } from "./cluster/timing.ts";
import type { Where } from "./connection.ts";
import type { GoogleStore, PostgresStore } from "./provisioning/data-stores/cloud-store.ts";
import { type CloudStores, storesOf } from "./provisioning/data-stores/cloud-stores.ts";
import type { Standards } from "./standards/standards.ts";
import type { BackendPlace } from "./terraform/backend.ts";

/** What composing them takes. */
export interface CloudOptions {
  readonly cluster: Cluster;
  readonly where: Where;
  readonly standards: Standards;
  readonly timing: Timing;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Data stores elsewhere than beside their service. Terraform's part of the program is loaded when it is worked with. */
export function cloudStoresFor(options: CloudOptions): CloudStores {
  let google: Promise<CloudStores<GoogleStore>> | undefined;
  let postgres: Promise<CloudStores<PostgresStore>> | undefined;
  return storesOf({
    google() {
      google ??= loadTerraform(options);
      return google;
    },
    postgres() {
      postgres ??= loadCloudNativePg(options);
      return postgres;
    },
  });
}

async function loadCloudNativePg({
  cluster,
  timing,
  standards,
}: CloudOptions): Promise<CloudStores<PostgresStore>> {
  const { cloudNativePgStores } = await import("./provisioning/data-stores/cloudnative-pg.ts");
  const readyWithinMs = standards.workload.progressDeadlineSeconds * 1_000;
  return cloudNativePgStores({ cluster, clock: timing, readyWithinMs });
}

async function loadTerraform(options: CloudOptions): Promise<CloudStores<GoogleStore>> {
  const { cluster, where, timing, environment } = options;
  if (where.kind === "sandbox" && where.access.cloud === undefined) {
    const { noCloudStores } = await import("./provisioning/data-stores/no-cloud-stores.ts");
    return noCloudStores(
      "the sandbox simulates a cluster, and no cloud: data stores outside of it would be real, and cost money",
      "have database.provider and cache.provider be in-cluster in the sandbox's standards",
    );
  }
  const [{ terraformStores }, folder] = await Promise.all([
    import("./provisioning/data-stores/terraform-stores.ts"),
    stateFolder(options),
  ]);
  const pod = podIn(environment);
  return terraformStores({
    cluster,
    timing,
    environment,
    place: placeOf(options, folder),
    folder: join(folder, "workspaces"),
    ...(where.kind === "sandbox" && where.access.cloud !== undefined ? { provider: where.access.cloud } : {}),
    ...(pod === undefined ? {} : { pod }),
  });
}

/** Of a sandbox it is beside its repositories. */
async function stateFolder({ where, environment }: CloudOptions): Promise<string> {
  if (where.kind === "sandbox") return join(dirname(where.access.repositories), "terraform");
  const { PLATFORM_STATE_DIR: chosen } = environment;
  if (chosen !== undefined && chosen !== "") return join(chosen, "terraform");
  const { default: envPaths } = await import("env-paths");
  return join(envPaths("platform", { suffix: "" }).data, "terraform");
}

function placeOf({ where, cluster, environment, standards }: CloudOptions, folder: string): BackendPlace {
  // Terraform's own client cannot speak to an embedded cluster.
  if (where.kind === "sandbox") return { kind: "local", folder: join(folder, "states") };
  const { state, bucket, region } = standards.terraform;
  if (state === "gcs" && bucket !== undefined) return { kind: "gcs", bucket };
  if (state === "s3" && bucket !== undefined && region !== undefined) return { kind: "s3", bucket, region };
  const named =
    where.path !== undefined || where.context !== undefined || environment.KUBECONFIG !== undefined;
  if (!named && cluster.context === "in-cluster" && environment.KUBERNETES_SERVICE_HOST !== undefined) {
    return { kind: "kubernetes", namespace: stateNamespace, access: { kind: "in-cluster" } };
  }
  const [path = ""] = kubeconfigPaths(where.path, environment);
  const access = { kind: "kubeconfig", path, context: cluster.context } as const;
  return { kind: "kubernetes", namespace: stateNamespace, access };
}

/** The pod that this is, as the downward API tells it. */
function podIn({ POD_NAMESPACE: namespace, POD_NAME: name, POD_UID: uid }: CloudOptions["environment"]) {
  if (namespace === undefined || name === undefined || uid === undefined) return undefined;
  return { namespace, name, uid };
}
