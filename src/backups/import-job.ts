import type { Application } from "../application/application.ts";
import { certificateKey, databaseNames } from "../application/credentials.ts";
import { labels, labelsFor } from "../application/names.ts";
import { fromSecret } from "../application/objects/data-store.ts";
import { restrictedContainer, restrictedPod, selectorOf, subjectOf } from "../application/objects/subject.ts";
import { ports } from "../application/ports.ts";
import type { KubeObject, ObjectMeta } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import { type ImportAction, importCommand } from "./import-scripts.ts";
import { type SourceAddress, sourceKeys, sourcePeers } from "./import-source.ts";

/** Component of these Jobs: neither the service's pods nor its database's. */
const component = "import";

/** The container whose end says what became of a Job. */
export const importContainer = "import";

/** How long a Job may take at most, in seconds. */
export const importDeadlineSeconds = 2 * 3_600;

/** User `postgres` of the official image. */
const postgresUser = 999;

/** Where an import comes from. */
export interface ImportSource {
  /** Name of the Secret, in the service's namespace. */
  readonly secret: string;
  readonly address: SourceAddress;
  /** What it was when the import began: one that was read-only is neither closed nor opened. */
  readonly was: "writable" | "read-only";
}

/** What a Job's variables of the source are called, by the keys of its Secret. */
const variables: Readonly<Record<(typeof sourceKeys)[number], string>> = {
  host: "SOURCE_HOST",
  port: "SOURCE_PORT",
  database: "SOURCE_DATABASE",
  username: "SOURCE_USER",
  password: "SOURCE_PASSWORD",
};

/** A key of a Secret that need not be there. */
function optionally(name: string, secret: string, key: string) {
  return { name, valueFrom: { secretKeyRef: { name: secret, key, optional: true } } };
}

function sourceVariables({ secret, was }: ImportSource) {
  return [
    { name: "SOURCE_WAS", value: was },
    ...sourceKeys.map((key) => fromSecret(variables[key], secret, key)),
    optionally("SOURCE_SSLMODE", secret, "sslmode"),
    optionally("SOURCE_CA", secret, certificateKey),
  ];
}

/**
 * What one action of an import consists of, in the order to write it: paths through the closed network to both databases, for
 * its time only, and the Job, with the image of the service's database. Nothing of it holds a value of a Secret, but the
 * policies the source's address and port. Pure.
 * @param source - left out: the action is about the service's own database alone
 */
export function importObjects(
  application: Application,
  standards: Standards,
  action: ImportAction,
  source: ImportSource | undefined,
): { readonly policies: readonly KubeObject[]; readonly job: KubeObject } {
  const subject = subjectOf(application, standards);
  const { name, namespace, team } = subject;
  const store = databaseNames(application);
  const metadata = (of: string): ObjectMeta => ({
    name: of,
    namespace,
    labels: labelsFor(name, team, component),
  });
  const job = `${store.name}-import-${action}`;
  const ours = { podSelector: { matchLabels: { [labels.service]: name, [labels.component]: component } } };
  const theirs = { podSelector: { matchLabels: selectorOf(subject, "database") } };
  const tcp = (port: number) => [{ protocol: "TCP", port }];
  const at = tcp(ports.postgres.number);
  const policy = (of: string, spec: object): KubeObject => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(of),
    spec,
  });
  const plain = (variable: string, value: string) => ({ name: variable, value });
  return {
    policies: [
      policy(`${job}.from`, {
        ...ours,
        policyTypes: ["Egress"],
        egress: [
          { to: [theirs], ports: at },
          ...(source === undefined
            ? []
            : [{ to: sourcePeers(source.address), ports: tcp(source.address.port) }]),
        ],
      }),
      policy(`${job}.to`, { ...theirs, policyTypes: ["Ingress"], ingress: [{ from: [ours], ports: at }] }),
    ],
    job: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: metadata(job),
      spec: {
        backoffLimit: 0,
        activeDeadlineSeconds: importDeadlineSeconds,
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
                name: importContainer,
                image: standards.database.image,
                command: importCommand(action),
                env: [
                  plain("WORK", "/tmp"),
                  plain("TERMINATION_LOG", "/dev/termination-log"),
                  plain("DATABASE", store.database),
                  plain("RESTORED", `${store.database}_imported`),
                  plain("BEFORE", `${store.database}_before`),
                  plain("PGHOST", store.host),
                  plain("PGPORT", String(ports.postgres.number)),
                  plain("PGDATABASE", "postgres"),
                  plain("PGCONNECT_TIMEOUT", "10"),
                  fromSecret("PGUSER", store.name, "username"),
                  fromSecret("PGPASSWORD", store.name, "password"),
                  ...(source === undefined ? [] : sourceVariables(source)),
                ],
                resources: {
                  requests: { cpu: "100m", memory: "128Mi" },
                  limits: { cpu: "1", memory: "512Mi" },
                },
                securityContext: restrictedContainer,
                // What it says at last is told where it fails.
                terminationMessagePolicy: "FallbackToLogsOnError",
                volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
              },
            ],
            volumes: [{ name: "tmp", emptyDir: { sizeLimit: "64Mi" } }],
          },
        },
      },
    },
  };
}
