import { z } from "zod";
import type { Application } from "../../application/application.ts";
import { databaseNames } from "../../application/credentials.ts";
import {
  databasesNamespace,
  instanceAnnotation,
  labelsFor,
  providerAnnotation,
} from "../../application/names.ts";
import { databaseResources } from "../../application/objects/database.ts";
import { providerOf, type StoreKind } from "../../application/store-provider.ts";
import type { KubeObject } from "../../cluster/object.ts";
import type { Standards } from "../../standards/standards.ts";
import { instanceName, type WorkspaceIdentity, workspaceName } from "../../terraform/backend.ts";
import { cloudSqlVariablesSchema } from "../../terraform/cloudsql.ts";
import { memorystoreVariablesSchema } from "../../terraform/memorystore.ts";
import { StepError } from "../errors.ts";
import { copyIn, dataStoreName } from "../objects/namespace-contents.ts";
import type { Effect, workspaceSchema } from "../runs/effect.ts";
import { postgresClusterSchema } from "./postgres-cluster.ts";

/**
 * A data store elsewhere than beside its service, as it was decided when it was made: later standards do not change it.
 */
const cloudStoreSchema = z.discriminatedUnion("provider", [
  z.strictObject({ provider: z.literal("cloudsql"), variables: cloudSqlVariablesSchema }),
  z.strictObject({ provider: z.literal("memorystore"), variables: memorystoreVariablesSchema }),
  z.strictObject({ provider: z.literal("cloudnative-pg"), variables: postgresClusterSchema }),
]);
export type CloudStore = Readonly<z.output<typeof cloudStoreSchema>> & {
  /** Whose it is: what its workspace is named after. */
  readonly identity: WorkspaceIdentity;
  /** When its instance was made, RFC 3339; unset for one that no record tells of. */
  readonly madeAt?: string;
};
/** One that Google runs as Cloud SQL. */
export type CloudSqlStore = Extract<CloudStore, { readonly provider: "cloudsql" }>;
/** One that CloudNativePG runs. */
export type PostgresStore = CloudStore & { readonly provider: "cloudnative-pg" };
/** One that Terraform makes. */
export type GoogleStore = Exclude<CloudStore, PostgresStore>;

/** Whether Terraform makes it. */
export function isGoogles(store: CloudStore): store is GoogleStore {
  return store.provider !== "cloudnative-pg";
}

const words = {
  cloudsql: "Cloud SQL",
  memorystore: "Memorystore",
  "cloudnative-pg": "CloudNativePG",
} as const;

/** Who runs a data store, and where: `Cloud SQL in project acme-data, us-central1`. */
export function placeOf(store: CloudStore): string {
  const by = words[store.provider];
  return isGoogles(store)
    ? `${by} in project ${store.variables.project}, ${store.variables.region}`
    : `${by} in namespace ${databasesNamespace}`;
}

/** A data store as a person calls it: `Cloud SQL shop-1f2e3d4c5b6a`. */
export function nameOf({ provider, variables }: CloudStore): string {
  return `${words[provider]} ${variables.name}`;
}

export type WorkspaceEffect = z.output<typeof workspaceSchema>;

const suffixes = { database: "db", cache: "cache" } as const;

/** Whose a service's data store is. */
function identityOf({ metadata }: Pick<Application, "metadata">, store: StoreKind): WorkspaceIdentity {
  return { namespace: metadata.namespace, name: metadata.name, store: suffixes[store] };
}

/** What the record of an instance is called, and its Secret, until a service uses it. */
export function besideNameOf({ name, store, copy }: WorkspaceIdentity): string {
  const own = dataStoreName(name, store);
  return copy === undefined ? own : `${own}-${copy}`;
}

/** Whose a record of this name is; which instance of it, where it is beside the one that is used. */
function identityIn(name: string, namespace: string): WorkspaceIdentity {
  const own = name.replace(/-[^-]+$/, "");
  const copy = /-(db|cache)$/.test(own) ? copyIn(name, own) : undefined;
  const whole = copy === undefined ? name : own;
  const store = whole.endsWith("-cache") ? "cache" : "db";
  return {
    namespace,
    name: whole.slice(0, -store.length - 1),
    store,
    ...(copy === undefined ? {} : { copy }),
  };
}

/**
 * Another instance of a database: as it was at a moment. What it is called follows from its source and the run. Pure.
 * @param copy - what tells it from all others of the database
 */
export function cloneOf(source: CloudSqlStore, copy: string, pointInTime: string): CloudSqlStore {
  const identity = { ...source.identity, copy };
  const { name } = source.variables;
  return {
    provider: "cloudsql",
    identity,
    variables: {
      ...source.variables,
      name: instanceName(identity, name),
      clone: { source_instance: name, point_in_time: pointInTime },
    },
  };
}

const dayMs = 24 * 3_600_000;

/** The moments that an instance can be brought back to, by what was decided of it; the last word is Google's. Pure. */
export function momentsOf(
  { variables, madeAt }: CloudSqlStore,
  now: Date,
): { readonly from: Date; readonly to: Date } {
  const kept = now.getTime() - variables.backups.log_days * dayMs;
  const made = Date.parse(madeAt ?? "") || kept;
  return { from: new Date(Math.max(kept, made)), to: now };
}

/** A data store outside of the cluster as an effect: enough to remove it where nothing else is left of it. */
export function workspaceEffect(store: CloudStore): WorkspaceEffect {
  const { identity, variables } = store;
  const common = {
    kind: "workspace" as const,
    name: workspaceName(identity),
    namespace: identity.namespace,
    store: besideNameOf(identity),
    instance: variables.name,
  };
  if (!isGoogles(store)) return { ...common, provider: "cloudnative-pg" };
  const { project, region, network } = store.variables;
  return { ...common, provider: store.provider, project, region, ...(network === null ? {} : { network }) };
}

/** What is known of a data store whose record is gone: as far as its removal needs it. */
export function storeOfEffect(effect: WorkspaceEffect): CloudStore {
  const { namespace, store, instance } = effect;
  const identity = identityIn(store, namespace);
  if (effect.provider === "cloudnative-pg") return { ...unknownCluster(identity, instance), identity };
  const { provider, project, region, network } = effect;
  const common = { project, region, name: instance, labels: {} };
  if (provider === "memorystore") {
    const variables = memorystoreVariablesSchema.parse({ ...common, network });
    return { provider, identity, variables };
  }
  const { database } = databaseNames({ metadata: identity, spec: {} });
  const variables = cloudSqlVariablesSchema.parse({
    ...common,
    network: network ?? null,
    database,
    user: database,
    tier: "db-custom-1-3840",
  });
  return { provider, identity, variables };
}

/** What is known of a Cluster of which there is no record. */
function unknownCluster(identity: WorkspaceIdentity, name: string): Omit<PostgresStore, "identity"> {
  const { database } = databaseNames({ metadata: identity, spec: {} });
  const none = { cpu: "0", memory: "0" };
  const variables = postgresClusterSchema.parse({
    ...{ name, database, user: database, image: "", instances: 1, storage: "0", team: "" },
    resources: { requests: none, limits: none },
    monitoring: { namespace: "", labels: {} },
    deletion_protection: true,
  });
  return { provider: "cloudnative-pg", variables };
}

const longestLabel = 63;

/** Google's labels know fewer characters than Kubernetes' do. */
function googleLabel(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^-_a-z0-9]/g, "-")
    .slice(0, longestLabel);
}

/**
 * What a service's data store will be. Pure.
 * @param incarnation - what makes the instance's name unlike that of any other before it: Google lets nobody use one
 * again for a week
 * @throws StepError `invalid` where the standards do not say where, or a name is Google's own
 */
export function newCloudStore(
  application: Application,
  standards: Standards,
  store: StoreKind,
  incarnation: string,
): CloudStore {
  if (providerOf(application.spec, store) === "cloudnative-pg") {
    return newCluster(application, standards, incarnation);
  }
  const { google, dataStores } = standards;
  const { metadata, spec } = application;
  if (google === undefined) {
    throw new StepError(
      "invalid",
      `the ${store} of ${metadata.name} is to run at Google, and the standards do not say in which project`,
      "have a platform engineer set google in the standards",
    );
  }
  const identity = identityOf(application, store);
  const { project, region, network } = google;
  const common = {
    ...{ project, region, network },
    name: instanceName(identity, incarnation),
    deletion_protection: dataStores.deletionProtection,
    labels: {
      organization: googleLabel(standards.organization),
      team: googleLabel(spec.team),
      service: googleLabel(metadata.name),
    },
  };
  if (providerOf(spec, store) === "memorystore") {
    const { memoryGb, version, highlyAvailable } = standards.cache.memorystore;
    const wanted = spec.cache?.version ?? version;
    const variables = memorystoreVariablesSchema.parse({
      ...common,
      redis_version: `REDIS_${(wanted.includes(".") ? wanted : `${wanted}.0`).replace(".", "_")}`,
      memory_gb: memoryGb,
      highly_available: highlyAvailable,
    });
    return { provider: "memorystore", identity, variables };
  }
  const { tier, edition, version, highlyAvailable, diskGb, finalBackupDays } = standards.database.cloudsql;
  const { database, logins } = databaseNames(application);
  const size = spec.database?.size ?? tier;
  if (edition === "ENTERPRISE_PLUS" && size.startsWith("db-custom-")) {
    throw new StepError(
      "invalid",
      `the database of ${metadata.name} cannot be made so: Cloud SQL's ENTERPRISE_PLUS knows no custom machine types, such as ${size}`,
      "leave database.size out of the Application, or have a platform engineer choose another tier or edition (database.cloudsql)",
    );
  }
  const parsed = cloudSqlVariablesSchema.safeParse({
    ...common,
    database,
    user: logins[0],
    database_version: version,
    tier: size,
    edition,
    highly_available: highlyAvailable,
    disk_gb: diskGb,
    final_backup_days: finalBackupDays,
  });
  if (!parsed.success) throw cannotBeMade(application, parsed.error);
  return { provider: "cloudsql", identity, variables: parsed.data };
}

/** A database that CloudNativePG is to run. */
function newCluster(application: Application, standards: Standards, incarnation: string): PostgresStore {
  const { metadata, spec } = application;
  const { cloudnativepg } = standards.database;
  if (cloudnativepg === undefined) {
    throw new StepError(
      "invalid",
      `CloudNativePG is to run the database of ${metadata.name}, and the standards do not say how`,
      "have a platform engineer set database.cloudnativepg in the standards",
    );
  }
  const identity = identityOf(application, "database");
  const { database, logins } = databaseNames(application);
  const { image, instances, storage, storageClass } = cloudnativepg;
  const parsed = postgresClusterSchema.safeParse({
    name: instanceName(identity, incarnation),
    ...{ database, user: logins[0], image, instances, storage },
    ...(storageClass === undefined ? {} : { storage_class: storageClass }),
    resources: databaseResources({ spec, standards }),
    monitoring: { namespace: standards.monitoring.namespace, labels: standards.monitoring.labels },
    team: spec.team,
    deletion_protection: standards.dataStores.deletionProtection,
  });
  if (parsed.success) return { provider: "cloudnative-pg", variables: parsed.data, identity };
  throw cannotBeMade(application, parsed.error);
}

function cannotBeMade({ metadata }: Application, { issues: [problem] }: z.ZodError): StepError {
  return new StepError(
    "invalid",
    `the database of ${metadata.name} cannot be made so: ${problem?.path.join(".") ?? ""} ${problem?.message ?? ""}`,
    "mend what the message names, then create the service again",
  );
}

/**
 * The ConfigMap that says where a service's data store is: made once, before it, and gone after it. Nothing in it is
 * secret.
 * @param name - default: that of the data store
 */
export function recordOf(
  application: Application,
  store: StoreKind,
  cloud: CloudStore,
  name = dataStoreName(application.metadata.name, suffixes[store]),
): KubeObject {
  const { copy, madeAt, other: _, ...always } = recordData(cloud);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name,
      namespace: application.metadata.namespace,
      labels: labelsFor(application.metadata.name, application.spec.team, store),
      annotations: {
        [providerAnnotation]: cloud.provider,
        ...(isGoogles(cloud) ? {} : { [instanceAnnotation]: cloud.variables.name }),
      },
    },
    data: {
      ...always,
      ...(copy === null ? {} : { copy }),
      ...(madeAt === null ? {} : { madeAt }),
    },
  };
}

/**
 * What a record says, for a merge patch. Pure.
 * @param other - what it tells of too, for as long as two instances change places
 */
export function recordData(cloud: CloudStore, other?: CloudStore) {
  const { provider, variables, identity, madeAt } = cloud;
  return {
    provider,
    variables: JSON.stringify(variables),
    copy: identity.copy ?? null,
    madeAt: madeAt ?? null,
    other:
      other === undefined
        ? null
        : JSON.stringify({
            variables: other.variables,
            ...(other.identity.copy === undefined ? {} : { copy: other.identity.copy }),
            ...(other.madeAt === undefined ? {} : { madeAt: other.madeAt }),
          }),
  };
}

const instanceFields = { copy: z.string().optional(), madeAt: z.string().optional() };
const dataSchema = z.looseObject({
  data: z.object({
    provider: z.string(),
    variables: z.string().transform(parsedJson),
    ...instanceFields,
    other: z
      .string()
      .transform(parsedJson)
      .pipe(z.object({ variables: z.unknown(), ...instanceFields }))
      .optional(),
  }),
});

/**
 * The instances that a ConfigMap tells of: first the one that it is about; none for any other ConfigMap.
 * @throws StepError `conflict` where somebody has changed it, so that it says nothing any more
 */
export function storesIn(object: KubeObject): readonly CloudStore[] {
  const { name, namespace = "", annotations, creationTimestamp } = object.metadata;
  if (object.kind !== "ConfigMap" || annotations?.[providerAnnotation] === undefined) return [];
  const { copy: _, ...whose } = identityIn(name, namespace);
  const data = dataSchema.safeParse(object).data?.data;
  const told = data === undefined ? [undefined] : [data, ...(data.other === undefined ? [] : [data.other])];
  return told.map((instance) => {
    const parsed = cloudStoreSchema.safeParse({ provider: data?.provider, variables: instance?.variables });
    if (!parsed.success) {
      throw new StepError(
        "conflict",
        `ConfigMap ${name} in ${namespace}, which says where the data store is, has been changed by somebody`,
        "have a platform engineer write back what it said: the run that made it names the instance, platform run show; then retry",
      );
    }
    const madeAt = instance?.madeAt ?? creationTimestamp;
    return {
      ...parsed.data,
      identity: { ...whose, ...(instance?.copy === undefined ? {} : { copy: instance.copy }) },
      ...(madeAt === undefined ? {} : { madeAt }),
    };
  });
}

/** The instance that a ConfigMap is about. @throws StepError: see {@link storesIn} */
export function cloudStoreIn(object: KubeObject): CloudStore | undefined {
  return storesIn(object)[0];
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether an effect is a data store outside of the cluster. */
export function isWorkspace(effect: Effect): effect is WorkspaceEffect {
  return effect.kind === "workspace";
}
