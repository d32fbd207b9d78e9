import { z } from "zod";
import type { ApplicationSpec } from "./application.ts";
import { addressOf, type ExternalStore } from "./external-store.ts";
import { ownSecretSchema, secretKeySchema, withoutSecret, withSecret } from "./own-secrets.ts";
import { imagePattern } from "./patterns.ts";
import { RefusedInput } from "./refusal.ts";
import { alertNames, cacheTypes, databaseTypes, externalShape, maxReplicas } from "./request.ts";
import { migrationCommandSchema, quantitySchema } from "./schema.ts";

const amounts = z.strictObject({ cpu: quantitySchema.optional(), memory: quantitySchema.optional() });

/** What `set` may change; what is left out stays. */
const settingsShape = {
  requests: amounts.optional().describe("What is set aside for each pod."),
  limits: amounts.optional().describe("What a pod may use at most."),
  alerts: z.array(z.enum(alertNames)).max(alertNames.length).optional().describe("Alerts of the service."),
  database: z.enum(databaseTypes).optional().describe("Kind of database; none: it has none any more."),
  cache: z.enum(cacheTypes).optional().describe("Kind of cache; none: it has none any more."),
  ...externalShape,
  migrate: migrationCommandSchema
    .optional()
    .describe("Program that migrates the database, with its arguments; empty: none does any more."),
  secret: ownSecretSchema.optional().describe("Secret of the service's own that its pods are to read."),
  withoutSecret: secretKeySchema.optional().describe("Variable that its pods are to have no more."),
};

/** An image by digest: a tag may name another image tomorrow, and a rollback would bring that. */
const imageByDigest = z
  .string()
  .min(1)
  .max(512)
  .regex(imagePattern, "is not an image reference")
  .regex(
    /@sha256:[0-9a-f]{64}$/,
    "an image is deployed by its digest: NAME@sha256:…, because a tag can be moved",
  );

const commit = z.string().regex(/^[0-9a-f]{7,64}$/, "is not a commit");

/** A change to a service that exists: argv and screens end here, parsed once. */
export const serviceChangeSchema = z.discriminatedUnion("operation", [
  z.strictObject({ operation: z.literal("scale"), replicas: z.int().min(1).max(maxReplicas) }),
  z.strictObject({
    operation: z.literal("deploy"),
    image: imageByDigest,
    /** The commit the image was built from. */
    commit: commit.optional(),
  }),
  z.strictObject({ operation: z.literal("set"), ...settingsShape }),
  /** Back to an earlier release. */
  z.strictObject({ operation: z.literal("rollback"), release: z.int().min(1) }),
]);
export type ServiceChange = z.output<typeof serviceChangeSchema>;

/** A change as a Run's `spec.parameters` holds it: flat, because a CRD's schema knows no unions. */
export const changeParametersSchema = z.strictObject({
  replicas: z.int().min(1).max(maxReplicas).optional().describe("For a scale: pods of the service."),
  image: imageByDigest.optional().describe("For a deploy: the new image, by digest."),
  commit: commit.optional().describe("For a deploy: the commit the image was built from."),
  ...settingsShape,
  release: z.int().min(1).optional().describe("For a rollback: number of the release to go back to."),
});

/**
 * The Application's spec after a change. Pure; a change that changes nothing answers with an equal spec.
 * @param earlier - for a release rollback: the spec of that release. Replicas stay as they are, because a release
 *   is what runs and not how much of it; data stores stay too, because no rollback of a release takes data away.
 * @throws RefusedInput where a data store that exists already is told by half
 */
export function changedSpec(
  spec: ApplicationSpec,
  change: ServiceChange,
  {
    earlier,
    defaults,
  }: { readonly earlier?: ApplicationSpec; readonly defaults: NonNullable<ApplicationSpec["resources"]> },
): ApplicationSpec {
  switch (change.operation) {
    case "scale":
      return { ...spec, replicas: change.replicas };
    case "deploy":
      return { ...spec, image: change.image, starter: false };
    case "set": {
      const { requests, limits, alerts, database, cache, migrate } = change;
      const {
        database: hadDatabase,
        cache: hadCache,
        migrations,
        secrets: hadSecrets,
        resources,
        ...rest
      } = spec;
      const externalDatabase = externalAfter("database", change, hadDatabase);
      const externalCache = externalAfter("cache", change, hadCache);
      const base = resources ?? defaults;
      const next =
        requests === undefined && limits === undefined
          ? resources
          : {
              requests: { ...base.requests, ...defined(requests) },
              limits: { ...base.limits, ...defined(limits) },
            };
      return {
        ...rest,
        ...(next === undefined ? {} : { resources: next }),
        ...part(
          "database",
          database === undefined
            ? hadDatabase && { ...hadDatabase, ...externalDatabase }
            : database === "none"
              ? undefined
              : { ...hadDatabase, type: database, ...externalDatabase },
        ),
        ...part(
          "cache",
          cache === undefined
            ? hadCache && { ...hadCache, ...externalCache }
            : cache === "none"
              ? undefined
              : { ...hadCache, type: cache, ...externalCache },
        ),
        ...part(
          "migrations",
          migrate === undefined
            ? migrations
            : migrate.length === 0
              ? undefined
              : { ...migrations, command: migrate },
        ),
        ...part("secrets", secretsAfter(hadSecrets, change)),
        monitoring:
          alerts === undefined
            ? spec.monitoring
            : { ...spec.monitoring, alerts: [...new Set(alerts)].sort() },
      };
    }
    case "rollback": {
      if (earlier === undefined) return spec;
      const { database: _, cache: __, ...release } = earlier;
      return {
        ...release,
        replicas: spec.replicas,
        ...part("database", spec.database),
        ...part("cache", spec.cache),
      };
    }
  }
}

type Settings = Extract<ServiceChange, { readonly operation: "set" }>;

/**
 * What a change says of a data store that exists already; of one that the service has, what it does not say stays.
 * @param had - the service's data store so far, as far as it keeps one
 * @throws RefusedInput
 */
function externalAfter(
  store: "database" | "cache",
  change: Settings,
  had: { readonly external?: ExternalStore | undefined } | undefined,
): { readonly provider: "external"; readonly external: ExternalStore } | undefined {
  const [secret, address] =
    store === "database"
      ? [change.databaseSecret, change.databaseAddress]
      : [change.cacheSecret, change.cacheAddress];
  if (secret === undefined && address === undefined) return undefined;
  const kind = change[store];
  if (kind === "none" || (kind === undefined && had === undefined)) {
    throw needed(
      `--${store}-secret and --${store}-address are for a ${store}: say --${store} and its kind too`,
    );
  }
  const at = address === undefined ? had?.external : addressOf(address);
  const named = secret ?? had?.external?.secret;
  if (at === undefined) throw needed(`where is the ${store}? --${store}-address HOST:PORT is needed too`);
  if (named === undefined) {
    throw needed(`which Secret has the credentials of the ${store}? --${store}-secret NAME is needed too`);
  }
  return { provider: "external", external: { secret: named, host: at.host, port: at.port } };
}

function needed(message: string): RefusedInput {
  return new RefusedInput([{ field: "", message }]);
}

function secretsAfter(
  before: ApplicationSpec["secrets"],
  { secret, withoutSecret: key }: Settings,
): ApplicationSpec["secrets"] {
  if (secret === undefined && key === undefined) return before;
  const kept = key === undefined ? before : withoutSecret(before, key);
  const after = secret === undefined ? kept : withSecret(kept, secret);
  return after === undefined || after.length === 0 ? undefined : after;
}

function part<Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> {
  const result: Partial<Record<Key, Value>> = {};
  if (value !== undefined) result[key] = value;
  return result;
}

/** Without the keys whose value is undefined. */
function defined(
  amount: { readonly cpu?: string | undefined; readonly memory?: string | undefined } | undefined,
) {
  return {
    ...(amount?.cpu === undefined ? {} : { cpu: amount.cpu }),
    ...(amount?.memory === undefined ? {} : { memory: amount.memory }),
  };
}
