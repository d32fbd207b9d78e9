import { z } from "zod";
import type { Application } from "../application/application.ts";
import { databaseNames } from "../application/credentials.ts";
import { backupsAnnotation, labels, protectionAnnotation } from "../application/names.ts";
import { selectorOf, subjectOf } from "../application/objects/subject.ts";
import type { KubeObject, ObjectMeta } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";

/** What a backup's job found when it read what it had written. */
export const backupFactsSchema = z.strictObject({
  /** Size of the dump. */
  bytes: z.int().min(0),
  /** Of the dump, hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Tables in it, and rows of all of them at the moment of the dump. */
  tables: z.int().min(0),
  rows: z.int().min(0),
});
export type BackupFacts = z.output<typeof backupFactsSchema>;

/** What a backup is called: by the run that made it. */
export const backupNameSchema = z
  .string()
  .max(63)
  .regex(/^(before-)?(backup|restore)-[a-z0-9]{1,20}$/, "is not the name of a backup");

const backupSchema = z.strictObject({
  name: backupNameSchema,
  /** RFC 3339. */
  at: z.iso.datetime(),
  /** Left out where nothing told them: it is not known to be good. */
  facts: backupFactsSchema.optional(),
});

/** A backup of a service's database. */
export type Backup = z.output<typeof backupSchema>;

/** Name of the volume claim that holds the backups of a service's database. */
export function backupsClaimName(application: Pick<Application, "metadata" | "spec">): string {
  return `${databaseNames(application).name}-backups`;
}

/**
 * The volume of the backups, beside the database's own and protected like it from the first one on. Its annotation has
 * the list, so that whoever may see claims sees the backups, and nobody has to mount it.
 */
export function backupsClaim(application: Application, standards: Standards): KubeObject {
  const { backups, deletionProtection } = standards.dataStores;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: backupsClaimName(application),
      namespace: application.metadata.namespace,
      labels: { ...selectorOf(subjectOf(application, standards), "database"), [labels.managed]: "true" },
      ...(deletionProtection ? { annotations: { [protectionAnnotation]: "true" } } : {}),
    },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: backups.storage } },
      volumeMode: "Filesystem",
    },
  };
}

/** The backups that a claim lists, newest first; what somebody has written by hand and is none is passed over. Pure. */
export function backupsIn({ annotations }: Pick<ObjectMeta, "annotations">): readonly Backup[] {
  let listed: unknown = [];
  try {
    listed = JSON.parse(annotations?.[backupsAnnotation] ?? "[]");
  } catch {
    return [];
  }
  if (!Array.isArray(listed)) return [];
  return listed
    .flatMap((each) => backupSchema.safeParse(each).data ?? [])
    .sort((one, other) => (one.at > other.at ? -1 : 1));
}

/** The patch by which a claim lists these backups. */
export function listing(backups: readonly Backup[]) {
  return { metadata: { annotations: { [backupsAnnotation]: JSON.stringify(backups) } } } as const;
}

/**
 * The backups that make room for another one: all but the newest, and never the one that is being restored. Pure.
 * @param keep - how many there may be with the new one
 */
export function makingRoom(
  backups: readonly Backup[],
  keep: number,
  restoring: string | undefined,
): readonly Backup[] {
  return backups.slice(Math.max(0, keep - 1)).filter(({ name }) => name !== restoring);
}

/** What the backup of a run is called. Pure. */
export function backupNameOf(run: string, service: string, operation: "backup" | "restore"): string {
  const suffix = run.slice(`${service}-${operation}-`.length);
  return operation === "backup" ? `backup-${suffix}` : `before-restore-${suffix}`;
}
