import { z } from "zod";
import { externalStoreSchema } from "./external-store.ts";
import { ownSecretsSchema } from "./own-secrets.ts";
import { dnsLabelPattern, imagePattern, quantityPattern } from "./patterns.ts";
import { alertNames, cacheTypes, databaseTypes, exposures, languages, maxReplicas } from "./request.ts";

/** A Kubernetes quantity, for example `100m` or `256Mi`. */
export const quantitySchema = z.string().max(32).regex(quantityPattern, "is not a Kubernetes quantity");

const amounts = (what: string) =>
  z
    .strictObject({
      cpu: quantitySchema.describe("Cores, for example 100m."),
      memory: quantitySchema.describe("Bytes, for example 256Mi."),
    })
    .describe(what);

/** Requests and limits of the service's container. */
export const resourcesSchema = z.strictObject({
  requests: amounts("What is set aside for each pod."),
  limits: amounts("What a pod may use at most."),
});
export type Resources = Readonly<z.output<typeof resourcesSchema>>;

/** Longest name of a PostgreSQL role, in bytes (NAMEDATALEN - 1). */
const maxDatabaseUserLength = 63;

/** Roles that a database has of itself, and names that PostgreSQL keeps for itself; in lower case. */
const takenDatabaseUsers = ["postgres", "cloudsqlsuperuser", "public", "none"];

const databaseUserForm = `a database user has letters, digits and underscores, starts with a letter or an underscore, and has at most ${maxDatabaseUserLength} characters`;
const databaseUserTaken = `${takenDatabaseUsers.join(", ")} and names that start with pg_ are the database's own: choose another user`;

/** The user a service connects to its database as; a wrong one is refused with the reason, here and by the API server. */
export const databaseUserSchema = z
  .string()
  .min(1)
  .max(maxDatabaseUserLength)
  .refine((user) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(user), databaseUserForm)
  .refine(
    (user) => !takenDatabaseUsers.includes(user.toLowerCase()) && !/^pg_/i.test(user),
    databaseUserTaken,
  )
  .meta({
    description: "User the service connects as; left out: app_ and the service's name.",
    "x-kubernetes-validations": [
      { rule: "self.matches('^[a-zA-Z_][a-zA-Z0-9_]*$')", message: databaseUserForm },
      {
        rule: `!(self.lowerAscii() in [${takenDatabaseUsers.map((user) => `'${user}'`).join(", ")}]) && !self.lowerAscii().startsWith('pg_')`,
        message: databaseUserTaken,
      },
    ],
  });

/** What an external data store is, it is by its address and its Secret. */
const externalIsTold = {
  rule: "has(self.external) == (has(self.provider) && self.provider == 'external')",
  message: "external is given where the provider is external, and only there",
};

function isTold({
  provider,
  external,
}: {
  readonly provider?: string | undefined;
  readonly external?: unknown;
}) {
  return (external !== undefined) === (provider === "external");
}

const part = (version: string, index: 0 | 1) => `int((${version} + '.0').split('.')[${index}])`;
const [major, majorBefore] = [part("self.version", 0), part("oldSelf.version", 0)];
const [minor, minorBefore] = [part("self.version", 1), part("oldSelf.version", 1)];

/**
 * Rule of the CRD: an older Redis does not read what a newer one has written. What the standards' own is, no rule of the API knows:
 * the operator looks at what runs (`data-version.ts`).
 */
const notLowered = {
  rule: `has(self.provider) || !has(oldSelf.version) || (has(self.version) && (${major} > ${majorBefore} || (${major} == ${majorBefore} && ${minor} >= ${minorBefore})))`,
  message:
    "the version of a cache in the cluster is not lowered, nor left out once it is given: an older Redis does not read what a newer one has written",
};

const databaseSchema = z
  .strictObject({
    type: z.enum(databaseTypes).exclude(["none"]).describe("Kind of database."),
    size: z
      .string()
      .max(32)
      .regex(
        /^db-custom-[1-9][0-9]?-[1-9][0-9]{2,5}$/,
        "is not a size: db-custom-CPUS-MEBIBYTES, for example db-custom-2-8192",
      )
      .optional()
      .describe(
        "Cores and memory: db-custom-CPUS-MEBIBYTES, for example db-custom-2-8192; left out: as the standards say.",
      ),
    user: databaseUserSchema.optional(),
    provider: z
      .enum(["cloudsql", "cloudnative-pg", "external"])
      .optional()
      .describe(
        "Where it runs. external: it exists already. Left out of a new one: where the standards say, which is written here unless that is in the cluster.",
      ),
    external: externalStoreSchema.optional(),
  })
  .refine(isTold, externalIsTold.message)
  .refine(
    ({ external, size, user }) => external === undefined || (size === undefined && user === undefined),
    "an external database has the size and the user that it has: leave them out",
  )
  .meta({
    description: "The service's database; left out where it has none.",
    "x-kubernetes-validations": [
      externalIsTold,
      {
        rule: "!has(self.external) || (!has(self.size) && !has(self.user))",
        message: "an external database has the size and the user that it has: leave them out",
      },
      {
        rule: "has(self.user) == has(oldSelf.user) && (!has(self.user) || self.user == oldSelf.user)",
        message: "the user of a database that exists cannot be changed",
      },
    ],
  });

const cacheSchema = z
  .strictObject({
    type: z.enum(cacheTypes).exclude(["none"]).describe("Kind of cache."),
    version: z
      .string()
      .max(16)
      .regex(/^[0-9]+(\.[0-9]+)?$/, "is not a version, for example 7.0")
      .optional()
      .describe("Version, one of those the standards offer; left out: the standards' own."),
    provider: z
      .enum(["memorystore", "external"])
      .optional()
      .describe(
        "Where it runs. external: it exists already. Left out of a new one: where the standards say, which is written here unless that is in the cluster.",
      ),
    external: externalStoreSchema.optional(),
  })
  .refine(isTold, externalIsTold.message)
  .refine(
    ({ external, version }) => external === undefined || version === undefined,
    "an external cache has the version that it has: leave it out",
  )
  .meta({
    description: "The service's cache; left out where it has none.",
    "x-kubernetes-validations": [
      externalIsTold,
      {
        rule: "!has(self.external) || !has(self.version)",
        message: "an external cache has the version that it has: leave it out",
      },
      notLowered,
    ],
  });

/** Most words of a migration's command, and characters of each: it stands in every Run that carries the Application. */
const longestCommand = { words: 32, word: 1024 };

/** Program and arguments of a migration; none: nothing is run. */
export const migrationCommandSchema = z
  .array(z.string().min(1).max(longestCommand.word))
  .max(longestCommand.words);

const migrationsSchema = z
  .strictObject({
    image: z
      .string()
      .min(1)
      .max(512)
      .regex(imagePattern)
      .optional()
      .describe("Container image that migrates; left out: the service's own."),
    command: migrationCommandSchema.min(1).describe("Program and arguments, run as they stand, by no shell."),
  })
  .describe(
    "What brings the database to what a new image or command needs, run to its end before the image is rolled out; left out: nothing does.",
  );

const autoscalingSchema = z
  .strictObject({
    minReplicas: z.int().min(1).max(maxReplicas).default(2).describe("Fewest pods."),
    maxReplicas: z.int().min(1).max(maxReplicas).describe("Most pods."),
    cpuPercent: z
      .int()
      .min(1)
      .max(100)
      .default(70)
      .describe("Share of the requested CPU, in percent, that pods are kept at."),
  })
  .refine(({ minReplicas, maxReplicas: most }) => minReplicas <= most, "minReplicas is above maxReplicas")
  .meta({
    description: "Pods follow the load; replicas does not count then. Left out: replicas says how many.",
    "x-kubernetes-validations": [
      { rule: "self.minReplicas <= self.maxReplicas", message: "minReplicas is above maxReplicas" },
    ],
  });

/**
 * `spec` of an Application as the cluster stores it: the one source of its TypeScript type, of the CRD's schema
 * (`crd.ts`) and of `docs/reference/application.md`. What a service does not have (`database`, `cache`) is left out.
 * Defaults are the CRD's too, so that what is stored is whole, but for the team.
 */
export const storedSpecSchema = z.strictObject({
  team: z
    .string()
    .min(1)
    .max(63)
    .regex(dnsLabelPattern)
    .optional()
    .describe("The owning team, as the standards name it; left out: the namespace's."),
  language: z.enum(languages).default("go").describe("Language of the service's source skeleton."),
  replicas: z.int().min(1).max(maxReplicas).default(2).describe("Pods of the service."),
  image: z.string().min(1).max(512).regex(imagePattern).describe("Container image the service runs."),
  starter: z
    .boolean()
    .default(false)
    .describe("True while image is the starter image of the standards: no pipeline has pushed one yet."),
  resources: resourcesSchema.optional().describe("Of each pod; left out: as the standards say."),
  exposure: z
    .enum(exposures)
    .default("internal")
    .describe(
      "internal: reached inside the cluster; public: a route, a certificate and a DNS name too; none: takes no requests.",
    ),
  autoscaling: autoscalingSchema.optional(),
  database: databaseSchema.optional(),
  cache: cacheSchema.optional(),
  migrations: migrationsSchema.optional(),
  secrets: ownSecretsSchema.optional(),
  monitoring: z
    .strictObject({
      enabled: z.boolean().default(true).describe("Whether Prometheus scrapes the service."),
      alerts: z
        .array(z.enum(alertNames))
        .max(alertNames.length)
        .default([...alertNames])
        .describe("Alerts that are written for the service."),
    })
    .prefault({})
    .describe("Metrics, alerts and dashboard."),
});
export type StoredApplicationSpec = Readonly<z.output<typeof storedSpecSchema>>;

/** `spec` of an Application that names its team, as every one does that a run made. */
export const applicationSpecSchema = z.strictObject({
  ...storedSpecSchema.shape,
  team: storedSpecSchema.shape.team.unwrap(),
});

const conditionSchema = z.strictObject({
  type: z.string().max(316).describe("What it is about."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds."),
  reason: z.string().max(1024).describe("Why, in one word, for example ImagePullBackOff."),
  message: z.string().max(32768).describe("Why, for a person."),
  lastTransitionTime: z.iso.datetime().describe("When its status last changed."),
  observedGeneration: z.int().min(0).optional().describe("Generation of the spec that it is about."),
});

const conflictSchema = z.strictObject({
  kind: z.string().max(63).describe("Kind of the object that is in the way."),
  name: z.string().max(253).describe("Its name, in the Application's namespace."),
  message: z.string().max(1024).describe("Whose it is, and what to do."),
});

/** Most conditions of an Application: rules of the CRD look through them. There are eight. */
const maxConditions = 16;

/** `status` of an Application, written by whoever reconciles it; every field may be missing. */
export const applicationStatusSchema = z.strictObject({
  observedGeneration: z.int().min(0).optional().describe("Generation of the spec that this status is about."),
  replicas: z.int().min(0).optional().describe("Pods that exist."),
  readyReplicas: z.int().min(0).optional().describe("Pods that are ready."),
  selector: z
    .string()
    .optional()
    .describe("Label selector of the service's pods, for the scale subresource."),
  image: z.string().optional().describe("Image of the last healthy rollout."),
  conflicts: z
    .array(conflictSchema)
    .max(50)
    .optional()
    .describe("Objects that the service needs, that exist and are not its own: they are left as they are."),
  conditions: z
    .array(conditionSchema)
    .max(maxConditions)
    .optional()
    .meta({
      description:
        "Ready, Progressing and Degraded, and WorkloadReady, DatabaseReady, CacheReady, MonitoringReady and NetworkReady; each with a reason.",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
    }),
});
export type ApplicationStatus = z.output<typeof applicationStatusSchema>;
