import { z } from "zod";
import type { ApplicationSpec } from "./application.ts";
import { ownSecretSchema, secretKeySchema, withoutSecret, withSecret } from "./own-secrets.ts";
import { imagePattern } from "./patterns.ts";
import { alertNames, cacheTypes, databaseTypes, maxReplicas } from "./request.ts";
import { migrationCommandSchema, quantitySchema } from "./schema.ts";

const amounts = z.strictObject({ cpu: quantitySchema.optional(), memory: quantitySchema.optional() });

/** What `set` may change; what is left out stays. */
const settingsShape = {
  requests: amounts.optional().describe("What is set aside for each pod."),
  limits: amounts.optional().describe("What a pod may use at most."),
  alerts: z.array(z.enum(alertNames)).max(alertNames.length).optional().describe("Alerts of the service."),
  database: z.enum(databaseTypes).optional().describe("Kind of database; none: it has none any more."),
  cache: z.enum(cacheTypes).optional().describe("Kind of cache; none: it has none any more."),
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
            ? hadDatabase
            : database === "none"
              ? undefined
              : { ...hadDatabase, type: database },
        ),
        ...part(
          "cache",
          cache === undefined ? hadCache : cache === "none" ? undefined : { ...hadCache, type: cache },
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

function secretsAfter(
  before: ApplicationSpec["secrets"],
  { secret, withoutSecret: key }: Extract<ServiceChange, { readonly operation: "set" }>,
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
