import { z } from "zod";
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

/**
 * `spec` of an Application: the one source of its TypeScript type and of the CRD's schema (`crd.ts`). What a
 * service does not have (`database`, `cache`) is left out.
 */
export const applicationSpecSchema = z.strictObject({
  team: z
    .string()
    .min(1)
    .max(63)
    .regex(dnsLabelPattern)
    .describe("The owning team, as the standards name it."),
  language: z.enum(languages).describe("Language of the service's source skeleton."),
  replicas: z.int().min(1).max(maxReplicas).describe("Pods of the service."),
  image: z.string().min(1).max(512).regex(imagePattern).describe("Container image the service runs."),
  starter: z
    .boolean()
    .describe("True while image is the starter image of the standards: no pipeline has pushed one yet."),
  resources: resourcesSchema.optional().describe("Of each pod; left out: as the standards say."),
  exposure: z
    .enum(exposures)
    .describe(
      "internal: reached inside the cluster; public: a route, a certificate and a DNS name too; none: takes no requests.",
    ),
  database: z
    .strictObject({ type: z.enum(databaseTypes).exclude(["none"]).describe("Kind of database.") })
    .optional()
    .describe("The service's database; left out where it has none."),
  cache: z
    .strictObject({ type: z.enum(cacheTypes).exclude(["none"]).describe("Kind of cache.") })
    .optional()
    .describe("The service's cache; left out where it has none."),
  monitoring: z
    .strictObject({
      enabled: z.boolean().describe("Whether Prometheus scrapes the service."),
      alerts: z
        .array(z.enum(alertNames))
        .max(alertNames.length)
        .describe("Alerts that are written for the service."),
    })
    .describe("Metrics, alerts and dashboard."),
});

const conditionSchema = z.strictObject({
  type: z.string().max(316),
  status: z.enum(["True", "False", "Unknown"]),
  reason: z.string().max(1024),
  message: z.string().max(32768),
  lastTransitionTime: z.iso.datetime(),
  observedGeneration: z.int().min(0).optional(),
});

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
  conditions: z
    .array(conditionSchema)
    .optional()
    .meta({
      description: "Ready, with a reason where it is not.",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
    }),
});
export type ApplicationStatus = z.output<typeof applicationStatusSchema>;
