import { isIP } from "node:net";
import { z } from "zod";
import { dnsLabelPattern, imagePattern, quantityPattern } from "../application/patterns.ts";
import { cloudSqlSchema, googleSchema, memorystoreSchema, terraformSchema } from "./cloud.ts";
import { cloudNativePgSchema } from "./cloudnative-pg.ts";
import { externalSchema } from "./external.ts";
import { pricesSchema } from "./prices.ts";

/** A Kubernetes quantity, for example `100m` or `256Mi`. */
const quantity = z.string().regex(quantityPattern, "is not a Kubernetes quantity");

/** A DNS name of lower-case labels. */
const dnsName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Name of a namespace, a Service or a Gateway. */
const objectName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "is not a name of a Kubernetes object");

const imageReference = z.string().max(512).regex(imagePattern, "is not an image reference");

const labelKey = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

const resourcesSchema = z
  .strictObject({
    requests: z.strictObject({ cpu: quantity, memory: quantity }),
    limits: z.strictObject({ cpu: quantity, memory: quantity }),
  })
  .describe("Requests and limits of one container.");

const quotaShape = {
  cpu: quantity.describe("Sum of requests, in cores."),
  memory: quantity.describe("Sum of requests, and of limits."),
  pods: z.int().min(1).describe("Number of pods."),
  storage: quantity.describe("Sum of the volumes' sizes."),
};

const tierSchema = z.strictObject({
  quota: z
    .strictObject(quotaShape)
    .partial()
    .optional()
    .describe("What differs from the quota of all namespaces."),
  imagesByDigest: z
    .boolean()
    .default(false)
    .describe("Whether pods run only images named by digest, NAME@sha256:…"),
});

const whenMissing = z
  .enum(["warn", "fail"])
  .default("warn")
  .describe("What happens where the cluster does not serve what this part is made of.");

const namespaceName = (what: string) => objectName.describe(`Namespace of ${what}.`);

/**
 * The organisation's decisions. In a cluster they are the `Standards` object named `platform` that only admins
 * write (`spec` holds this shape); `platform.yaml` files serve the sandbox and `standards check`. The descriptions
 * are those of the CRD.
 */
export const standardsSchema = z
  .strictObject({
    organization: z.string().min(1).max(200).default("acme").describe("Name of the organisation."),
    contact: z
      .string()
      .min(1)
      .max(200)
      .refine((text) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(text), "is not one line of text")
      .optional()
      .describe(
        "Whom a person asks for a right they lack, for example #platform-help, platform@acme.example; refusals name it.",
      ),
    teams: z
      .record(
        z.string().max(63).regex(dnsLabelPattern),
        z.strictObject({ groups: z.array(z.string().min(1)).min(1) }),
      )
      .refine((teams) => Object.keys(teams).length > 0, "needs at least one team")
      .default({ platform: { groups: ["developers"] } })
      .describe("Teams, and the groups (as the cluster's authentication names them) that are them."),
    oncall: z
      .strictObject({
        groups: z
          .array(z.string().min(1))
          .default(["oncalls"])
          .describe("Groups that are on call, as the cluster's authentication names them."),
      })
      .prefault({})
      .describe("Who may resume, retry and roll back everybody's runs."),
    domain: z
      .string()
      .max(180)
      .regex(dnsName, "is not a DNS name")
      .default("apps.example.internal")
      .describe("Public services get NAME.DOMAIN."),
    images: z
      .strictObject({
        starter: imageReference
          .optional()
          .describe("What a new service runs until its pipeline has pushed an image."),
        registries: z
          .array(z.string().min(1))
          .default([])
          .describe("Registries, or paths in them, that images may come from; empty: any."),
        repository: z
          .string()
          .min(1)
          .default("registry.example.internal")
          .describe("Where pipelines push: REPOSITORY/TEAM/SERVICE."),
      })
      .prefault({})
      .describe("Container images."),
    workload: z
      .strictObject({
        resources: resourcesSchema
          .prefault({
            requests: { cpu: "100m", memory: "256Mi" },
            limits: { cpu: "500m", memory: "512Mi" },
          })
          .describe("Of each pod of a service, and the default of any other container beside it."),
        progressDeadlineSeconds: z
          .int()
          .min(10)
          .max(3600)
          .default(300)
          .describe("Seconds a rollout may take before it counts as failed."),
        onUnhealthy: z
          .enum(["rollback", "hold"])
          .default("rollback")
          .describe(
            "What becomes of a change whose rollout fails: it goes back by itself, or waits for a person.",
          ),
      })
      .prefault({})
      .describe("The pods of services."),
    quota: z
      .strictObject({
        cpu: quotaShape.cpu.default("20"),
        memory: quotaShape.memory.default("40Gi"),
        pods: quotaShape.pods.default(100),
        storage: quotaShape.storage.default("100Gi"),
      })
      .prefault({})
      .describe(
        "What one managed namespace may use at most, data stores included, unless its tier says otherwise.",
      ),
    tiers: z
      .record(z.string().max(63).regex(dnsLabelPattern), tierSchema)
      .refine((tiers) => Object.keys(tiers).length > 0, "needs at least one tier")
      .default({ standard: { imagesByDigest: false }, production: { imagesByDigest: true } })
      .describe("Kinds of managed namespaces; only a platform engineer says which one a namespace is of."),
    defaultTier: z
      .string()
      .max(63)
      .regex(dnsLabelPattern)
      .default("standard")
      .describe("Tier of a new service's namespace."),
    database: z
      .strictObject({
        provider: z
          .enum(["in-cluster", "cloudsql", "cloudnative-pg"])
          .default("in-cluster")
          .describe(
            "Where new databases run; cloudsql needs google, and is made by Terraform; cloudnative-pg needs cloudnativepg.",
          ),
        image: imageReference
          .default("docker.io/library/postgres:15.15")
          .describe("An official PostgreSQL image, Debian's variant, 15 or newer."),
        storage: quantity.default("10Gi").describe("Size of the volume."),
        resources: resourcesSchema.prefault({
          requests: { cpu: "100m", memory: "256Mi" },
          limits: { cpu: "1", memory: "1Gi" },
        }),
        cloudsql: cloudSqlSchema,
        cloudnativepg: cloudNativePgSchema.optional(),
      })
      .prefault({})
      .describe("PostgreSQL."),
    cache: z
      .strictObject({
        provider: z
          .enum(["in-cluster", "memorystore"])
          .default("in-cluster")
          .describe("Where new caches run; memorystore needs google, and is made by Terraform."),
        image: imageReference
          .default("docker.io/library/redis:7.4.7")
          .describe("An official Redis image, Debian's variant."),
        versions: z
          .record(
            z
              .string()
              .max(16)
              .regex(/^[0-9]+(\.[0-9]+)?$/, "is not a version"),
            imageReference,
          )
          .default({
            "7.0": "docker.io/library/redis:7.0.15",
            "7.2": "docker.io/library/redis:7.2.11",
            "7.4": "docker.io/library/redis:7.4.7",
          })
          .describe("Versions that an Application may ask for, and the image of each."),
        storage: quantity.default("1Gi").describe("Size of the volume."),
        resources: resourcesSchema.prefault({
          requests: { cpu: "50m", memory: "128Mi" },
          limits: { cpu: "500m", memory: "256Mi" },
        }),
        memorystore: memorystoreSchema,
      })
      .prefault({})
      .describe("Redis."),
    prices: pricesSchema.optional(),
    google: googleSchema.optional(),
    terraform: terraformSchema,
    dataStores: z
      .strictObject({
        deletionProtection: z
          .boolean()
          .default(true)
          .describe(
            "Whether a data store is protected from when its service was ready on it: it is destroyed only by who names the service.",
          ),
        snapshot: z
          .enum(["required", "whenPossible", "never"])
          .default("whenPossible")
          .describe(
            "A last snapshot of a protected data store's volumes before it is destroyed. required: where none can be taken, nothing is destroyed.",
          ),
        backups: z
          .strictObject({
            storage: quantity
              .default("10Gi")
              .describe("Size of the volume that holds the backups of a database in the cluster."),
            keep: z
              .int()
              .min(1)
              .max(100)
              .default(7)
              .describe("Backups kept of each database; older ones go."),
          })
          .prefault({})
          .describe("Backups of databases."),
        external: externalSchema,
      })
      .prefault({})
      .describe(
        "What guards databases and caches against deletion, and where those may be that exist already.",
      ),
    secrets: z
      .strictObject({
        store: z
          .enum(["kubernetes", "external-secrets"])
          .default("kubernetes")
          .describe(
            "What makes the passwords of data stores in the cluster, once: the platform itself, or External Secrets Operator.",
          ),
        clusterSecretStore: objectName
          .optional()
          .describe(
            "For external-secrets: the ClusterSecretStore, of this cluster alone, that keeps them, such as one of Google Secret Manager or HashiCorp Vault; left out: they are in the cluster only.",
          ),
      })
      .prefault({})
      .describe("Passwords of databases and caches."),
    monitoring: z
      .strictObject({
        whenMissing,
        prometheus: z
          .strictObject({
            namespace: namespaceName("Prometheus' Service"),
            service: objectName.describe("Prometheus' Service, for example prometheus-operated."),
            port: z.union([z.int().min(1).max(65_535), z.string().min(1).max(63)]),
          })
          .optional()
          .describe(
            "Where Prometheus answers, through the API server's service proxy; without it nothing is proven.",
          ),
        labels: z
          .record(z.string().regex(labelKey), z.string().max(63).regex(labelValue, "is not a label's value"))
          .default({ release: "prometheus" })
          .describe("Labels by which the Prometheus resource selects ServiceMonitors and PrometheusRules."),
        namespace: namespaceName("the pods that scrape").default("monitoring"),
        telemetry: z
          .strictObject({
            namespace: namespaceName("the collector").default("observability"),
            service: objectName.default("otel-collector").describe("The collector's Service."),
            port: z.int().min(1).max(65_535).default(4317).describe("Its OTLP port, gRPC."),
          })
          .prefault({})
          .describe("Where traces go."),
      })
      .prefault({})
      .describe("Metrics, alerts and traces."),
    network: z
      .strictObject({
        whenMissing,
        gateway: z
          .strictObject({ namespace: namespaceName("the Gateway"), name: objectName })
          .default({ namespace: "gateway", name: "public" })
          .describe("The Gateway that public routes attach to."),
        target: z
          .string()
          .refine(
            (target) => isIP(target) !== 0 || dnsName.test(target),
            "is neither a DNS name nor an address",
          )
          .optional()
          .describe("What public names point to, a DNS name or an address; left out: gateway.DOMAIN."),
        issuer: objectName.default("platform").describe("ClusterIssuer of cert-manager."),
        mesh: z.enum(["istio", "none"]).default("istio").describe("Service mesh, with sidecars."),
      })
      .prefault({})
      .describe("Routes, certificates, names and mesh."),
    operator: z
      .strictObject({
        image: imageReference
          .optional()
          .describe("What the operator runs, best by digest; left out: there is no operator."),
      })
      .prefault({})
      .describe("The platform's own operator."),
    delivery: z
      .strictObject({
        host: z
          .string()
          .optional()
          .describe(
            "Where repositories live: file:///… (a folder of bare repositories), or ssh://… or https://…, to which TEAM/SERVICE.git is appended. Left out in the sandbox: the user's state folder.",
          ),
      })
      .prefault({})
      .describe("Repositories and pipelines."),
  })
  .refine(({ tiers, defaultTier }) => Object.hasOwn(tiers, defaultTier), {
    path: ["defaultTier"],
    message: "is not one of the tiers",
  })
  .refine(({ secrets }) => secrets.clusterSecretStore === undefined || secrets.store === "external-secrets", {
    path: ["secrets", "clusterSecretStore"],
    message: "is for the store external-secrets",
  })
  .refine(({ database, google }) => database.provider !== "cloudsql" || google !== undefined, {
    path: ["database", "provider"],
    message: "needs google: its project, network and range",
  })
  .refine(({ database }) => database.provider !== "cloudnative-pg" || database.cloudnativepg !== undefined, {
    path: ["database", "provider"],
    message: "needs database.cloudnativepg: its image",
  })
  .refine(
    ({ database: { cloudnativepg }, images: { registries } }) =>
      cloudnativepg === undefined ||
      registries.length === 0 ||
      registries.some((prefix) => cloudnativepg.image.startsWith(prefix)),
    {
      path: ["database", "cloudnativepg", "image"],
      message: "is from none of images.registries",
    },
  )
  .refine(({ cache, google }) => cache.provider === "in-cluster" || google !== undefined, {
    path: ["cache", "provider"],
    message: "needs google: its project, network and range",
  })
  .refine(
    ({ terraform: { state, bucket, region } }) =>
      (state !== "gcs" && state !== "s3") ||
      (bucket !== undefined && (state === "gcs" || region !== undefined)),
    { path: ["terraform", "state"], message: "needs bucket, and s3 the bucket's region too" },
  );
export type Standards = z.output<typeof standardsSchema>;

/** Name of the one Standards object of a cluster. */
export const standardsName = "platform";
