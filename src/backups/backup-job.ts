import type { Application } from "../application/application.ts";
import { databaseNames } from "../application/credentials.ts";
import { labelsFor } from "../application/names.ts";
import { psqlVariablesHere } from "../application/objects/data-store.ts";
import { passingJob, pathsTo } from "../application/objects/passing-job.ts";
import { selectorOf, subjectOf } from "../application/objects/subject.ts";
import { ports } from "../application/ports.ts";
import type { KubeObject, ObjectMeta } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import { backupsClaimName } from "./backup.ts";
import { type BackupAction, backupCommand } from "./backup-scripts.ts";

/** Component of these Jobs: neither the service's pods nor its database's. */
const component = "backup";

/** The container whose end says what became of a Job. */
export const backupContainer = "backup";

/** How long a Job may take at most, in seconds. */
export const backupDeadlineSeconds = 2 * 3_600;

const backupsFolder = "/backups";

/** Which backup a Job is about, and which ones make room for it. */
export interface BackupSubject {
  readonly backup: string;
  readonly drop: readonly string[];
  /** Whether another backup is to be restored afterwards: what stands in the way of that is told first. */
  readonly forRestore?: boolean;
}

/**
 * What one action on a service's database consists of, in the order to write it: two paths through the closed network, for
 * its time only, and the Job, with the database's own image and the volume of the backups. Nothing of it holds a value of a
 * Secret. Pure.
 */
export function backupObjects(
  application: Application,
  standards: Standards,
  action: BackupAction,
  { backup, drop, forRestore = false }: BackupSubject,
): { readonly policies: readonly KubeObject[]; readonly job: KubeObject } {
  const subject = subjectOf(application, standards);
  const { name, namespace, team } = subject;
  const store = databaseNames(application);
  const metadata: ObjectMeta = {
    name: `${store.name}-${action}`,
    namespace,
    labels: labelsFor(name, team, component),
  };
  const plain = (variable: string, value: string) => ({ name: variable, value });
  return {
    policies: pathsTo(metadata, selectorOf(subject, "database"), ports.postgres.number),
    job: passingJob({
      metadata,
      container: backupContainer,
      image: standards.database.image,
      command: backupCommand(action),
      env: [
        plain("BACKUP", backup),
        plain("DROP", drop.join(" ")),
        plain("FOR_RESTORE", forRestore ? "yes" : ""),
        plain("BACKUPS", backupsFolder),
        plain("WORK", "/tmp"),
        plain("TERMINATION_LOG", "/dev/termination-log"),
        plain("DATABASE", store.database),
        plain("RESTORED", `${store.database}_restored`),
        plain("BEFORE", `${store.database}_before`),
        ...psqlVariablesHere(store),
      ],
      resources: {
        requests: { cpu: "100m", memory: "128Mi" },
        limits: { cpu: "1", memory: "512Mi" },
      },
      deadlineSeconds: backupDeadlineSeconds,
      retries: 0,
      room: "64Mi",
      claims: { [backupsFolder]: backupsClaimName(application) },
    }),
  };
}
