import type { KubeObject } from "../../cluster/object.ts";
import { labels } from "../names.ts";
import { ports } from "../ports.ts";
import { labelsOf, metadataOf, type Subject, selectorOf } from "./subject.ts";

type DataStoreComponent = "database" | "cache";

/** A headless Service: the data store's pod is reached by name, and only while it is ready. */
export function dataStoreService(
  subject: Subject,
  component: DataStoreComponent,
  name: string,
  port: { readonly name: string; readonly number: number },
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(subject, component, name),
    spec: {
      clusterIP: "None",
      selector: selectorOf(subject, component),
      ports: [
        { name: port.name, port: port.number, targetPort: port.name, protocol: "TCP", appProtocol: "tcp" },
      ],
    },
  };
}

/**
 * A StatefulSet of one pod with one volume, which outlives it: only the platform deletes a volume, and only where
 * a rollback or deletion says so.
 */
export function dataStoreStatefulSet(
  subject: Subject,
  component: DataStoreComponent,
  name: string,
  storage: string,
  podSpec: object,
): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: metadataOf(subject, component, name),
    spec: {
      replicas: 1,
      serviceName: name,
      revisionHistoryLimit: 5,
      podManagementPolicy: "OrderedReady",
      updateStrategy: { type: "RollingUpdate" },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      selector: { matchLabels: selectorOf(subject, component) },
      template: { metadata: { labels: labelsOf(subject, component) }, spec: podSpec },
      volumeClaimTemplates: [
        {
          // Said as the API server keeps it: this list is applied as a whole, and is to equal what is there.
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          // The claim's labels cannot change later: only those that never do.
          metadata: {
            name: "data",
            labels: { ...selectorOf(subject, component), [labels.managed]: "true" },
          },
          spec: {
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage } },
            volumeMode: "Filesystem",
          },
          status: { phase: "Pending" },
        },
      ],
    },
  };
}

/** An environment variable whose value is a key of a Secret. */
export function fromSecret(variable: string, secret: string, key: string) {
  return { name: variable, valueFrom: { secretKeyRef: { name: secret, key } } };
}

/** The same, of a key that need not be there: the variable is left out then. */
export function fromSecretIfThere(variable: string, secret: string, key: string) {
  return { name: variable, valueFrom: { secretKeyRef: { name: secret, key, optional: true } } };
}

/** How psql reaches a database that a Secret tells of, and logs in as it says. */
export function psqlVariables(secret: string, patienceSeconds: number) {
  return [
    { name: "PGCONNECT_TIMEOUT", value: String(patienceSeconds) },
    fromSecret("PGHOST", secret, "host"),
    fromSecret("PGPORT", secret, "port"),
    fromSecret("PGDATABASE", secret, "database"),
    fromSecret("PGUSER", secret, "username"),
    fromSecret("PGPASSWORD", secret, "password"),
  ];
}

/** How psql reaches the server of a database in the cluster, as the service does: not its database, which may be away. */
export function psqlVariablesHere({ host, name }: { readonly host: string; readonly name: string }) {
  return [
    { name: "PGHOST", value: host },
    { name: "PGPORT", value: String(ports.postgres.number) },
    { name: "PGDATABASE", value: "postgres" },
    { name: "PGCONNECT_TIMEOUT", value: "10" },
    fromSecret("PGUSER", name, "username"),
    fromSecret("PGPASSWORD", name, "password"),
  ];
}

/** Where a data store's own processes read credentials: files, which follow their Secrets while the pod runs. */
export const credentialsVariable = { name: "CREDENTIALS", value: "/credentials" } as const;

export function credentialsMount() {
  return { name: "credentials", mountPath: credentialsVariable.value, readOnly: true };
}

/** Keys of a Secret as files. */
export interface CredentialFiles {
  readonly secret: string;
  /** Key to path below the mount point. */
  readonly files: Readonly<Record<string, string>>;
  /** The Secret need not be there. */
  readonly optional?: true;
}

/** A volume of credentials, readable by the pod's own user alone. */
export function credentialsVolume(secrets: readonly CredentialFiles[]) {
  return {
    name: "credentials",
    projected: {
      defaultMode: 0o440,
      sources: secrets.map(({ secret, files, optional }) => ({
        secret: {
          name: secret,
          items: Object.entries(files).map(([key, path]) => ({ key, path })),
          ...(optional === undefined ? {} : { optional }),
        },
      })),
    },
  };
}
