import type { Application } from "../application/application.ts";
import { databaseNames } from "../application/credentials.ts";
import { labels, labelsFor } from "../application/names.ts";
import { fromSecret } from "../application/objects/data-store.ts";
import { restrictedContainer, restrictedPod, selectorOf, subjectOf } from "../application/objects/subject.ts";
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

/** User `postgres` of the official image: volumes are its. */
const postgresUser = 999;

/** Which backup a Job is about, and which ones make room for it. */
export interface BackupSubject {
  readonly backup: string;
  readonly drop: readonly string[];
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
  { backup, drop }: BackupSubject,
): { readonly policies: readonly KubeObject[]; readonly job: KubeObject } {
  const subject = subjectOf(application, standards);
  const { name, namespace, team } = subject;
  const store = databaseNames(application);
  const metadata = (of: string): ObjectMeta => ({
    name: of,
    namespace,
    labels: labelsFor(name, team, component),
  });
  const job = `${store.name}-${action}`;
  const ours = { podSelector: { matchLabels: { [labels.service]: name, [labels.component]: component } } };
  const theirs = { podSelector: { matchLabels: selectorOf(subject, "database") } };
  const at = [{ protocol: "TCP", port: ports.postgres.number }];
  const policy = (of: string, spec: object): KubeObject => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(of),
    spec,
  });
  const plain = (variable: string, value: string) => ({ name: variable, value });
  return {
    policies: [
      policy(`${job}.from`, { ...ours, policyTypes: ["Egress"], egress: [{ to: [theirs], ports: at }] }),
      policy(`${job}.to`, { ...theirs, policyTypes: ["Ingress"], ingress: [{ from: [ours], ports: at }] }),
    ],
    job: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: metadata(job),
      spec: {
        backoffLimit: 0,
        activeDeadlineSeconds: backupDeadlineSeconds,
        template: {
          metadata: { labels: labelsFor(name, team, component) },
          spec: {
            restartPolicy: "Never",
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            terminationGracePeriodSeconds: 5,
            securityContext: restrictedPod(postgresUser),
            containers: [
              {
                name: backupContainer,
                image: standards.database.image,
                command: backupCommand(action),
                env: [
                  plain("BACKUP", backup),
                  plain("DROP", drop.join(" ")),
                  plain("BACKUPS", "/backups"),
                  plain("WORK", "/tmp"),
                  plain("TERMINATION_LOG", "/dev/termination-log"),
                  plain("DATABASE", store.database),
                  plain("RESTORED", `${store.database}_restored`),
                  plain("BEFORE", `${store.database}_before`),
                  plain("PGHOST", store.host),
                  plain("PGPORT", String(ports.postgres.number)),
                  plain("PGDATABASE", "postgres"),
                  plain("PGCONNECT_TIMEOUT", "10"),
                  fromSecret("PGUSER", store.name, "username"),
                  fromSecret("PGPASSWORD", store.name, "password"),
                ],
                resources: {
                  requests: { cpu: "100m", memory: "128Mi" },
                  limits: { cpu: "1", memory: "512Mi" },
                },
                securityContext: restrictedContainer,
                // What it says at last is told where it fails.
                terminationMessagePolicy: "FallbackToLogsOnError",
                volumeMounts: [
                  { name: "backups", mountPath: "/backups" },
                  { name: "tmp", mountPath: "/tmp" },
                ],
              },
            ],
            volumes: [
              { name: "backups", persistentVolumeClaim: { claimName: backupsClaimName(application) } },
              { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
            ],
          },
        },
      },
    },
  };
}
