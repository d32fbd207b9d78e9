import { type Application, type ApplicationSpec, wholeSpec } from "../../application/application.ts";
import { addressText, type ExternalStore } from "../../application/external-store.ts";
import { applicationOf } from "../../application/from-request.ts";
import { serviceNameSchema } from "../../application/names.ts";
import { cacheImage } from "../../application/objects/cache.ts";
import { databaseResources } from "../../application/objects/database.ts";
import {
  externalOf,
  providerOf,
  type StoreKind,
  type StoreProvider,
  withProviders,
} from "../../application/store-provider.ts";
import type { Standards } from "../../standards/standards.ts";
import { type CloudStore, newCloudStore, type PostgresStore } from "./cloud-store.ts";
import { type KnownPrice, priceInCluster, priceOfCloudSql, priceOfMemorystore } from "./price.ts";

/** What a person should know of a data store before it is made. */
export interface StoreTerms {
  readonly store: StoreKind;
  readonly provider: StoreProvider;
  /** What it is and who runs it: `Cloud SQL in us-central1, PostgreSQL 15`. */
  readonly runs: string;
  readonly size: string;
  /** Who runs it, and how large it is, in few words: beside other things. */
  readonly brief: { readonly by: string; readonly size: string };
  /** Left out where the standards name none. */
  readonly price?: Exclude<KnownPrice, undefined>;
  /** What guards its data, and what does not, most important first. */
  readonly protection: readonly string[];
}

/** The data stores that a new service is offered, as the standards choose them. */
export type StoreOffers = Readonly<Record<StoreKind, StoreTerms>>;

/** What the standards choose for new data stores. Pure. */
export function offersOf(standards: Standards): StoreOffers {
  const wanted = { image: "any", database: { type: "postgres" }, cache: { type: "redis" } };
  const spec = withProviders(wholeSpec(wanted, "any"), undefined, standards);
  const application = applicationOf(serviceNameSchema.parse("any"), spec);
  return {
    database: termsOf(application, "database", standards),
    cache: termsOf(application, "cache", standards),
  };
}

/**
 * What a data store of an Application will be, made by the standards as they are. Pure.
 * @throws StepError, RefusedInput where it cannot be made so
 */
export function termsOf(application: Application, store: StoreKind, standards: Standards): StoreTerms {
  const external = externalOf(application.spec, store);
  if (external !== undefined) return termsElsewhere(external, store);
  const provider = providerOf(application.spec, store) ?? "in-cluster";
  switch (provider) {
    case "in-cluster":
      return termsInCluster(application.spec, store, standards);
    case "cloudsql":
    case "cloudnative-pg":
    case "memorystore":
      return termsInCloud(newCloudStore(application, standards, store, ""), standards);
    case "external":
      throw new Error(`nothing says where the ${store} is`);
  }
}

/** Whether data goes with the service. */
function outlives(guarded: boolean): string {
  return guarded
    ? "outlives its service; only who types its name destroys it"
    : "outlives its service, unless whoever deletes that says otherwise";
}

const snapshots: Readonly<Record<Standards["dataStores"]["snapshot"], readonly string[]>> = {
  required: ["a last snapshot first"],
  whenPossible: ["a last snapshot first, where possible"],
  never: [],
};

function termsInCluster(
  spec: Pick<ApplicationSpec, StoreKind>,
  store: StoreKind,
  standards: Standards,
): StoreTerms {
  const { deletionProtection, snapshot, backups } = standards.dataStores;
  const { storage } = standards[store];
  const { requests, limits } =
    store === "database" ? databaseResources({ spec, standards }) : standards.cache.resources;
  const image = store === "database" ? standards.database.image : cacheImage({ spec, standards });
  const same = requests.cpu === limits.cpu && requests.memory === limits.memory;
  const most = same ? "" : ` (at most ${limits.cpu} and ${limits.memory})`;
  const price = priceInCluster(standards.prices, { ...requests, storage });
  return {
    store,
    provider: "in-cluster",
    runs: `${imageVersion(image)} in the cluster`,
    size: `${requests.cpu} CPU, ${requests.memory} memory${most}, ${storage} volume`,
    brief: { by: "in the cluster", size: storage },
    ...(price === undefined ? {} : { price }),
    protection: [
      outlives(deletionProtection),
      "one pod: no failover",
      store === "database" ? `backups when asked for, the last ${backups.keep} kept` : "no backups",
      ...(deletionProtection ? snapshots[snapshot] : []),
    ],
  };
}

/** What a data store elsewhere than beside its service is, or will be: of one that was kept, as it was made. Pure. */
export function termsInCloud(cloud: CloudStore, { prices }: Pick<Standards, "prices">): StoreTerms {
  if (cloud.provider === "cloudnative-pg") return termsOfCluster(cloud, prices);
  const { region, deletion_protection, highly_available } = cloud.variables;
  if (cloud.provider === "memorystore") {
    const { memory_gb, redis_version } = cloud.variables;
    const price = priceOfMemorystore(prices, cloud.variables);
    return {
      store: "cache",
      provider: "memorystore",
      runs: `Memorystore in ${region}, ${versionOf(redis_version)}`,
      size: `${memory_gb} GB memory`,
      brief: { by: "Memorystore", size: `${memory_gb} GB` },
      ...(price === undefined ? {} : { price }),
      protection: [
        outlives(deletion_protection),
        highly_available ? "a replica stands by" : "no replica: empty after a failure",
        "no backups",
      ],
    };
  }
  const { tier, edition, disk_gb, database_version, backups, final_backup_days } = cloud.variables;
  const price = priceOfCloudSql(prices, cloud.variables);
  const plus = edition === "ENTERPRISE" ? "" : `, ${edition}`;
  return {
    store: "database",
    provider: "cloudsql",
    runs: `Cloud SQL in ${region}, ${versionOf(database_version)}`,
    size: `${tier}${plus}, ${disk_gb} GB disk that grows by itself`,
    brief: { by: "Cloud SQL", size: tier },
    ...(price === undefined ? {} : { price }),
    protection: [
      outlives(deletion_protection),
      highly_available ? "a second zone stands by" : "one zone: no failover",
      `daily backups, ${backups.retained} kept, any moment of ${backups.log_days} days`,
      final_backup_days === 0 ? "no last backup" : `a last backup, kept ${final_backup_days} days`,
    ],
  };
}

function termsOfCluster({ variables }: PostgresStore, prices: Standards["prices"]): StoreTerms {
  const { image, instances, resources, storage, deletion_protection } = variables;
  const { requests } = resources;
  const one = priceInCluster(prices, { ...requests, storage });
  return {
    store: "database",
    provider: "cloudnative-pg",
    runs: `${imageVersion(image)} by CloudNativePG in the cluster`,
    size: `${instances} ${instances === 1 ? "pod" : "pods"}, each ${requests.cpu} CPU, ${requests.memory} memory, ${storage} volume`,
    brief: { by: "CloudNativePG", size: storage },
    ...(one === undefined
      ? {}
      : { price: { ...one, amount: Math.round(one.amount * instances * 100) / 100 } }),
    protection: [
      outlives(deletion_protection),
      instances === 1 ? "one pod: no failover" : "another pod takes over where one fails",
      "no backups but those that a platform engineer sets up",
    ],
  };
}

/** What exists already is as whoever runs it has made it. Pure. */
export function termsElsewhere(external: ExternalStore, store: StoreKind): StoreTerms {
  return {
    store,
    provider: "external",
    runs: `${addressText(external)}, which exists already`,
    size: "what it has: the platform makes and changes nothing of it",
    brief: { by: addressText(external), size: "which exists already" },
    price: "theirs",
    protection: ["outlives its service: the platform never deletes it", "backups by whoever runs it"],
  };
}

/** `docker.io/library/postgres:15.15` as `postgres 15.15`. */
export function imageVersion(image: string): string {
  return image.replace(/@.*$/, "").replace(/^.*\//, "").replace(":", " ");
}

/** `POSTGRES_15` as `PostgreSQL 15`, `REDIS_7_0` as `Redis 7.0`. */
function versionOf(version: string): string {
  return version
    .replace(/^POSTGRES_/, "PostgreSQL ")
    .replace(/^REDIS_/, "Redis ")
    .replaceAll("_", ".");
}
