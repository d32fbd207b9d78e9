import { z } from "zod";
import { imagePattern, quantityPattern } from "../application/patterns.ts";

const objectName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "is not a name of a Kubernetes object");

/** CloudNativePG reads the version from the tag, and what runs is what the digest names. */
const versioned = /:(1[5-9]|[2-9][0-9])([-._][-A-Za-z0-9_.]*)?@sha256:[0-9a-f]{64}$/;

/** What the organisation decides about databases that CloudNativePG runs. */
export const cloudNativePgSchema = z
  .strictObject({
    image: z
      .string()
      .max(512)
      .regex(imagePattern, "is not an image reference")
      .regex(versioned, "is not PostgreSQL 15 or later by version and digest, NAME:17.5@sha256:…")
      .describe(
        "Image of CloudNativePG for PostgreSQL, by version and digest: NAME:17.5@sha256:…; one of docker.io/library/postgres is none.",
      ),
    instances: z
      .int()
      .min(1)
      .max(9)
      .default(1)
      .describe("Pods of each database; from two on one takes over where another fails."),
    storage: z
      .string()
      .max(32)
      .regex(quantityPattern, "is not a Kubernetes quantity")
      .default("10Gi")
      .describe("Size of the volume of each pod."),
    storageClass: objectName
      .optional()
      .describe("StorageClass of the volumes; left out: the cluster's default."),
    operatorNamespace: objectName
      .default("cnpg-system")
      .describe("Namespace of CloudNativePG's own pods, which have to reach those of databases."),
  })
  .describe(
    "Of databases that CloudNativePG runs, in namespace platform-databases. Where it is set, the platform has its rights there: it has to stay as long as there are any.",
  );
