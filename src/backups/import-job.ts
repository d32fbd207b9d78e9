import type { Application } from "../application/application.ts";
import { certificateKey, databaseNames } from "../application/credentials.ts";
import { labelsFor } from "../application/names.ts";
import { fromSecret, fromSecretIfThere, psqlVariablesHere } from "../application/objects/data-store.ts";
import { passingJob, pathsTo } from "../application/objects/passing-job.ts";
import { selectorOf, subjectOf } from "../application/objects/subject.ts";
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

function sourceVariables({ secret, was }: ImportSource) {
  return [
    { name: "SOURCE_WAS", value: was },
    ...sourceKeys.map((key) => fromSecret(variables[key], secret, key)),
    fromSecretIfThere("SOURCE_SSLMODE", secret, "sslmode"),
    fromSecretIfThere("SOURCE_CA", secret, certificateKey),
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
  const metadata: ObjectMeta = {
    name: `${store.name}-import-${action}`,
    namespace,
    labels: labelsFor(name, team, component),
  };
  const plain = (variable: string, value: string) => ({ name: variable, value });
  const toSource =
    source === undefined ? [] : [{ to: sourcePeers(source.address), port: source.address.port }];
  return {
    policies: pathsTo(metadata, selectorOf(subject, "database"), ports.postgres.number, toSource),
    job: passingJob({
      metadata,
      container: importContainer,
      image: standards.database.image,
      command: importCommand(action),
      env: [
        plain("WORK", "/tmp"),
        plain("TERMINATION_LOG", "/dev/termination-log"),
        plain("DATABASE", store.database),
        plain("RESTORED", `${store.database}_imported`),
        plain("BEFORE", `${store.database}_before`),
        ...psqlVariablesHere(store),
        ...(source === undefined ? [] : sourceVariables(source)),
      ],
      resources: {
        requests: { cpu: "100m", memory: "128Mi" },
        limits: { cpu: "1", memory: "512Mi" },
      },
      deadlineSeconds: importDeadlineSeconds,
      retries: 0,
      room: "64Mi",
    }),
  };
}
