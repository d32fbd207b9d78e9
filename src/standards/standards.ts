import { z } from "zod";
import { dnsLabelPattern, imagePattern } from "../application/patterns.ts";

/** A Kubernetes quantity, for example `100m` or `256Mi`. */
const quantity = z
  .string()
  .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/, "is not a Kubernetes quantity");

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

const resourcesSchema = z.strictObject({
  requests: z.strictObject({ cpu: quantity, memory: quantity }),
  limits: z.strictObject({ cpu: quantity, memory: quantity }),
});

/** What happens when a part's CRDs are not installed on the cluster. */
const whenMissing = z.enum(["warn", "fail"]).default("warn");

/**
 * The organisation's decisions. In a cluster they are the `Standards` object named `platform` that only admins
 * write (`spec` holds this shape); `platform.yaml` files serve the sandbox and `standards check`.
 */
export const standardsSchema = z.strictObject({
  organization: z.string().min(1).default("acme"),
  /** Teams and the groups (as the cluster's authentication names them) that are them. */
  teams: z
    .record(
      z.string().max(63).regex(dnsLabelPattern),
      z.strictObject({ groups: z.array(z.string().min(1)).min(1) }),
    )
    .refine((teams) => Object.keys(teams).length > 0, "needs at least one team")
    .default({ platform: { groups: ["developers"] } }),
  /** Public services get `<name>.<domain>`. */
  domain: z.string().max(180).regex(dnsName, "is not a DNS name").default("apps.example.internal"),
  images: z
    .strictObject({
      /** What a new service runs until its pipeline has pushed an image. */
      starter: imageReference.optional(),
      /** Prefixes an image may start with; empty: any. */
      registries: z.array(z.string()).default([]),
      /** Where pipelines push: `<repository>/<team>/<service>`. */
      repository: z.string().default("registry.example.internal"),
    })
    .prefault({}),
  workload: z
    .strictObject({
      resources: resourcesSchema.prefault({
        requests: { cpu: "100m", memory: "256Mi" },
        limits: { cpu: "500m", memory: "512Mi" },
      }),
      /** Seconds a rollout may take before it counts as failed. */
      progressDeadlineSeconds: z.int().min(10).max(3600).default(300),
    })
    .prefault({}),
  quota: z
    .strictObject({
      cpu: quantity.default("20"),
      memory: quantity.default("40Gi"),
      pods: z.int().default(100),
      storage: quantity.default("100Gi"),
    })
    .prefault({}),
  database: z
    .strictObject({
      provider: z.enum(["in-cluster"]).default("in-cluster"),
      image: imageReference.default("docker.io/library/postgres:15.15"),
      storage: quantity.default("10Gi"),
      resources: resourcesSchema.prefault({
        requests: { cpu: "100m", memory: "256Mi" },
        limits: { cpu: "1", memory: "1Gi" },
      }),
    })
    .prefault({}),
  cache: z
    .strictObject({
      provider: z.enum(["in-cluster"]).default("in-cluster"),
      image: imageReference.default("docker.io/library/redis:7.4.7"),
      storage: quantity.default("1Gi"),
      resources: resourcesSchema.prefault({
        requests: { cpu: "50m", memory: "128Mi" },
        limits: { cpu: "500m", memory: "256Mi" },
      }),
    })
    .prefault({}),
  monitoring: z
    .strictObject({
      whenMissing,
      /** Where Prometheus answers, through the API server's service proxy. */
      prometheus: z
        .strictObject({ namespace: objectName, service: objectName, port: z.union([z.int(), z.string()]) })
        .optional(),
      /** Labels that the Prometheus resource selects ServiceMonitors and rules by. */
      labels: z
        .record(z.string().regex(labelKey), z.string().max(63).regex(labelValue, "is not a label's value"))
        .default({ release: "prometheus" }),
      /** Namespace Prometheus scrapes from. */
      namespace: objectName.default("monitoring"),
      /** OTLP endpoint for traces, host and port. */
      telemetry: z
        .strictObject({
          namespace: objectName.default("observability"),
          /** Service of the collector in that namespace. */
          service: objectName.default("otel-collector"),
          port: z.int().default(4317),
        })
        .prefault({}),
    })
    .prefault({}),
  network: z
    .strictObject({
      whenMissing,
      /** The Gateway that public routes attach to. */
      gateway: z
        .strictObject({ namespace: objectName, name: objectName })
        .default({ namespace: "gateway", name: "public" }),
      /**
       * What public names point to, a DNS name or an address. Left out: `gateway.<domain>`.
       */
      target: z.string().min(1).optional(),
      /** cert-manager ClusterIssuer. */
      issuer: objectName.default("platform"),
      mesh: z.enum(["istio", "none"]).default("istio"),
    })
    .prefault({}),
  delivery: z
    .strictObject({
      /**
       * Where repositories live: `file:///…` (a folder of bare repositories) or `ssh://…`/`https://…` (a prefix that
       * `<team>/<service>.git` is appended to). Left out in the sandbox: the user's state folder.
       */
      host: z.string().optional(),
    })
    .prefault({}),
});
export type Standards = z.output<typeof standardsSchema>;
