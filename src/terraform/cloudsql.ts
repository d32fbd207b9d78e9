import { z } from "zod";
import type { TerraformModule } from "./module.ts";

const outputs = z.object({
  host: z.string().min(1),
  port: z.int(),
  database: z.string(),
  username: z.string(),
  connection_name: z.string(),
  ca_certificate: z.string().nullable(),
});
/** What a Cloud SQL instance tells once it is there; nothing of it is secret. */
export type CloudSqlOutputs = z.output<typeof outputs>;

/** PostgreSQL by Cloud SQL: instance, database and user. */
export const cloudSqlPostgres: TerraformModule<CloudSqlOutputs> = {
  name: "cloudsql-postgres",
  instance: "google_sql_database_instance.this",
  adoptable: {
    "google_sql_database_instance.this": "instance",
    "google_sql_database.this": "database",
    "google_sql_user.this": "user",
  },
  labelsOf: ({ settings }) =>
    z
      .tuple([z.looseObject({ user_labels: z.unknown() })])
      .transform(([{ user_labels }]) => user_labels)
      .catch(undefined)
      .parse(settings),
  outputs,
};

const own = /^(postgres|template[01]|cloudsqladmin)$/i;

/** What the organisation and the Application decide about a database. The module checks each value again. */
export const cloudSqlVariablesSchema = z.strictObject({
  project: z.string(),
  region: z.string().default("us-central1"),
  name: z.string(),
  database: z
    .string()
    .min(1)
    .max(63)
    .refine((name) => !own.test(name), "is PostgreSQL's or Google's own"),
  user: z
    .string()
    .min(1)
    .max(63)
    .refine((name) => !/^(postgres$|cloudsql|pg_)/i.test(name), "is PostgreSQL's or Google's own"),
  database_version: z.string().default("POSTGRES_15"),
  tier: z.string(),
  edition: z.enum(["ENTERPRISE", "ENTERPRISE_PLUS"]).default("ENTERPRISE"),
  highly_available: z.boolean().default(false),
  disk_gb: z.int().min(10).default(10),
  network: z.string().nullable().default(null),
  iam_authentication: z.boolean().default(true),
  deletion_protection: z.boolean().default(true),
  final_backup_days: z.int().min(0).max(365).default(30),
  backups: z
    .strictObject({
      start_time: z.string().default("03:00"),
      retained: z.int().default(7),
      log_days: z.int().default(7),
    })
    .prefault({}),
  maintenance: z
    .strictObject({
      day: z.int().min(1).max(7).default(7),
      hour: z.int().min(0).max(23).default(4),
    })
    .prefault({}),
  /** What the instance begins as: another one as it was at a moment, RFC 3339 in UTC. */
  clone: z
    .strictObject({ source_instance: z.string(), point_in_time: z.iso.datetime() })
    .nullable()
    .default(null),
  labels: z.record(z.string(), z.string()),
  /** Where Google's Secret Manager has the password; null where it is given through the hidden variable. */
  password_secret: z
    .strictObject({ project: z.string(), secret: z.string(), version: z.string() })
    .nullable()
    .default(null),
  /** Counts the passwords the user has had. */
  password_version: z.int().min(1).default(1),
});
export type CloudSqlVariables = z.output<typeof cloudSqlVariablesSchema>;
