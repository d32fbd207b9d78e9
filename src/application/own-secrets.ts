import { z } from "zod";
import { dnsLabelPattern } from "./patterns.ts";

/** Longest name of a secret and of a variable, in characters: with service and version they still make a name. */
const maxSecretName = 40;
const maxSecretKey = 63;

/** Highest version of a secret. */
export const maxSecretVersion = 999_999;

/** Most variables that a service has from secrets of its own. */
const maxOwnSecrets = 100;

/** Variables that the platform sets itself, and beginnings of their names. */
const takenKeys = ["PORT", "METRICS_PORT", "POD_NAME"];
const takenBeginnings = ["DATABASE_", "CACHE_", "OTEL_"];

const keyForm = `a variable has upper-case letters, digits and single underscores between them, starts with a letter, and has at most ${maxSecretKey} characters`;
const keyTaken = `${takenKeys.join(", ")} and names that start with ${takenBeginnings.join(", ")} are set by the platform`;
const nameForm = `a secret's name has lower-case letters, digits and hyphens, starts with a letter, and has at most ${maxSecretName} characters`;

const keyPattern = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;

/** Name of a secret of a service's own. */
export const secretNameSchema = z
  .string()
  .min(1, nameForm)
  .max(maxSecretName, nameForm)
  .regex(dnsLabelPattern, nameForm);

/** The variable that holds a secret's value in the service's pods: none that the platform sets. */
export const secretKeySchema = z
  .string()
  .min(1, keyForm)
  .max(maxSecretKey, keyForm)
  .regex(keyPattern, keyForm)
  .refine(
    (key) => !takenKeys.includes(key) && !takenBeginnings.some((start) => key.startsWith(start)),
    keyTaken,
  );

/** One variable of the service's pods, and the secret that holds its value. */
export const ownSecretSchema = z.strictObject({
  name: secretNameSchema.describe("Name of the secret."),
  key: secretKeySchema
    .meta({
      "x-kubernetes-validations": [
        {
          rule: `!(self in [${takenKeys.map((key) => `'${key}'`).join(", ")}]) && ${takenBeginnings.map((start) => `!self.startsWith('${start}')`).join(" && ")}`,
          message: keyTaken,
        },
      ],
    })
    .describe("The variable that the pods have it as."),
  version: z.int().min(1).max(maxSecretVersion).describe("Which of its values: one more with each set."),
});
export type OwnSecret = z.output<typeof ownSecretSchema>;

/** `spec.secrets` of an Application. */
export const ownSecretsSchema = z
  .array(ownSecretSchema)
  .max(maxOwnSecrets)
  .refine(
    (secrets) => new Set(secrets.map(({ key }) => key)).size === secrets.length,
    "a variable is there twice",
  )
  .meta({
    description:
      "Secrets of the service's own: platform secret set makes them; none of their values is here.",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["key"],
  });

/**
 * Name of the Secret that holds one value. A dot is in no name of a service, a secret or a part of the platform: so it
 * is no other's, and whoever writes an Application can name no Secret but those of its service. Pure.
 */
export function ownSecretName(service: string, { name, key, version }: OwnSecret): string {
  return `${service}.${name}.${key.toLowerCase().replaceAll("_", "-")}.${version}`;
}

/** The secrets with this one, in place of the one that had its variable; ordered by variable. Pure. */
export function withSecret(secrets: readonly OwnSecret[] | undefined, secret: OwnSecret): OwnSecret[] {
  return [...withoutSecret(secrets, secret.key), secret].sort((one, other) => (one.key < other.key ? -1 : 1));
}

/** The secrets without the one of this variable. Pure. */
export function withoutSecret(secrets: readonly OwnSecret[] | undefined, key: string): OwnSecret[] {
  return (secrets ?? []).filter((secret) => secret.key !== key);
}
