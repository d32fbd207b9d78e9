import { isIP } from "node:net";
import { z } from "zod";

/** What the organisation decides about databases at Google. */
export const cloudSqlSchema = z
  .strictObject({
    tier: z
      .string()
      .regex(/^db-[-a-zA-Z0-9]{1,60}$/, "is not a machine type, for example db-custom-2-7680")
      .default("db-custom-1-3840")
      .describe("Machine type of databases whose Application names no size."),
    edition: z
      .enum(["ENTERPRISE", "ENTERPRISE_PLUS"])
      .default("ENTERPRISE")
      .describe("Google's edition; ENTERPRISE_PLUS knows no custom machine types."),
    version: z
      .string()
      .regex(/^POSTGRES_(1[5-9]|[2-9][0-9])$/, "is not POSTGRES_15 or later")
      .default("POSTGRES_15")
      .describe("PostgreSQL's version, as Google names it."),
    highlyAvailable: z.boolean().default(false).describe("Whether a second zone stands by."),
    diskGb: z
      .int()
      .min(10)
      .max(65_536)
      .default(10)
      .describe("Size of the disk at first, in gigabytes; it grows by itself."),
    finalBackupDays: z
      .int()
      .min(0)
      .max(365)
      .default(30)
      .describe("How long Google keeps the last backup of a deleted database; 0: none is made."),
  })
  .prefault({})
  .describe("Of databases that run as Cloud SQL.");

/** What the organisation decides about caches at Google. */
export const memorystoreSchema = z
  .strictObject({
    memoryGb: z.int().min(1).max(300).default(1).describe("Size, in gigabytes."),
    version: z
      .string()
      .max(16)
      .regex(/^[0-9]+\.[0-9]+$/, "is not a version, for example 7.0")
      .default("7.0")
      .describe("Redis' version where the Application names none."),
    highlyAvailable: z.boolean().default(false).describe("Whether a replica stands by."),
  })
  .prefault({})
  .describe("Of caches that run as Memorystore.");

const project = "[a-z][-a-z0-9]{4,28}[a-z0-9]";

/** Where data stores at Google are made. */
export const googleSchema = z
  .strictObject({
    project: z
      .string()
      .regex(new RegExp(`^${project}$`), "is not the ID of a project")
      .describe("Google project that pays for and holds data stores."),
    region: z
      .string()
      .max(32)
      .regex(/^[a-z]+-[a-z]+[0-9]+$/, "is not a region, for example us-central1")
      .default("us-central1"),
    network: z
      .string()
      .max(256)
      .regex(
        new RegExp(`^projects/${project}/global/networks/[a-z]([-a-z0-9]*[a-z0-9])?$`),
        "is not a network, projects/PROJECT/global/networks/NAME",
      )
      .describe("VPC network of the cluster, with private services access."),
    range: z
      .string()
      .refine((text) => isPrivateRange(text), "is not a range of IPv4 addresses, for example 10.20.0.0/16")
      .describe(
        "Addresses of private services access: where the data stores are, and all that pods may reach there.",
      ),
  })
  .describe("Where Google's data stores are made.");

function isPrivateRange(text: string): boolean {
  const [address = "", length = "", ...rest] = text.split("/");
  return rest.length === 0 && isIP(address) === 4 && /^([89]|[12][0-9]|3[0-2])$/.test(length);
}

const bucketName = z
  .string()
  .regex(/^[a-z0-9][-a-z0-9._]{1,61}[a-z0-9]$/, "is not the name of a bucket")
  .optional();

/** Where Terraform keeps its states. */
export const terraformSchema = z
  .strictObject({
    state: z
      .enum(["kubernetes", "gcs", "s3"])
      .default("kubernetes")
      .describe(
        "Where Terraform's states are: Secrets of the namespace platform-state, or a bucket. It must not change while data stores live. The sandbox keeps them in a folder.",
      ),
    bucket: bucketName.describe("Bucket of gcs and s3."),
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,32}$/, "is not a region")
      .optional()
      .describe("Region of the bucket of s3."),
  })
  .prefault({})
  .describe("Terraform, which makes data stores outside of the cluster.");
