import { z } from "zod";
import type { TerraformModule } from "./module.ts";

const outputs = z.object({
  host: z.string().min(1),
  port: z.int(),
  ca_certificates: z.array(z.string()),
});
/** What a Memorystore instance tells once it is there; nothing of it is secret. */
export type MemorystoreOutputs = z.output<typeof outputs>;

/** Redis by Memorystore. */
export const memorystoreRedis: TerraformModule<MemorystoreOutputs> = {
  name: "memorystore-redis",
  instance: "google_redis_instance.this",
  adoptable: { "google_redis_instance.this": "instance" },
  labelsOf: ({ effective_labels }) => effective_labels,
  outputs,
};

/**
 * The attribute that Google's own password of a cache is in. Google makes it, so the state has it; it goes from there
 * to the service's Secret and nowhere else.
 */
export const memorystoreAuth = { address: memorystoreRedis.instance, attribute: "auth_string" } as const;

/** What the organisation and the Application decide about a cache. The module checks each value again. */
export const memorystoreVariablesSchema = z.strictObject({
  project: z.string(),
  region: z.string().default("us-central1"),
  name: z.string(),
  redis_version: z.string().default("REDIS_7_0"),
  memory_gb: z.int().min(1).max(300).default(1),
  highly_available: z.boolean().default(false),
  network: z.string(),
  deletion_protection: z.boolean().default(true),
  maintenance: z
    .strictObject({
      day: z
        .enum(["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"])
        .default("SUNDAY"),
      hour: z.int().min(0).max(23).default(4),
    })
    .prefault({}),
  labels: z.record(z.string(), z.string()),
});
export type MemorystoreVariables = z.output<typeof memorystoreVariablesSchema>;
