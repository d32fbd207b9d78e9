import { z } from "zod";
import { addressPattern, externalSecretPattern } from "./external-store.ts";
import { serviceNameSchema } from "./names.ts";
import { dnsLabelPattern, imagePattern } from "./patterns.ts";

/** Languages a skeleton is offered for. */
export const languages = ["go", "typescript"] as const;
export type Language = (typeof languages)[number];

export const databaseTypes = ["postgres", "none"] as const;
export const cacheTypes = ["redis", "none"] as const;
export const exposures = ["internal", "public", "none"] as const;
export const alertNames = ["high-error-rate", "high-latency"] as const;

const secretSchema = z.string().regex(externalSecretPattern, "is not the name of a Secret");
const addressSchema = z.string().max(300).regex(addressPattern, "is not an address, HOST:PORT");

/** Data stores that exist already and are not the platform's: where they are, and the Secrets that open them. */
export const externalShape = {
  databaseSecret: secretSchema
    .optional()
    .describe("Secret with the credentials of a database that exists already."),
  databaseAddress: addressSchema.optional().describe("Its address, HOST:PORT."),
  cacheSecret: secretSchema
    .optional()
    .describe("Secret with the credentials of a cache that exists already."),
  cacheAddress: addressSchema.optional().describe("Its address, HOST:PORT."),
};

/** Most replicas one service may ask for. */
export const maxReplicas = 50;

/**
 * What a developer asks for, complete: argv, file and wizard all end here, parsed once. Defaults are part of the
 * schema so that every face has the same ones. `team` is left out where the standards have only one.
 */
export const serviceRequestSchema = z.strictObject({
  name: serviceNameSchema,
  team: z.string().regex(dnsLabelPattern).max(63).optional(),
  language: z.enum(languages),
  replicas: z.int().min(1).max(maxReplicas).default(2),
  database: z.enum(databaseTypes).default("none"),
  cache: z.enum(cacheTypes).default("none"),
  ...externalShape,
  /** `internal`: reached inside the cluster; `public`: a route, certificate and DNS name too; `none`: takes no requests. */
  exposure: z.enum(exposures).default("internal"),
  alerts: z.array(z.enum(alertNames)).default([...alertNames]),
  /** Container image. Left out: the starter image of the standards runs until the pipeline has pushed one. */
  image: z.string().min(1).max(512).regex(imagePattern).optional(),
});
export type ServiceRequest = z.output<typeof serviceRequestSchema>;
