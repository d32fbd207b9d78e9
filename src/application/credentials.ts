import { createHmac } from "node:crypto";
import type { KubeObject } from "../cluster/object.ts";
import type { Application } from "./application.ts";
import { labelsFor } from "./names.ts";
import { ports } from "./ports.ts";

/** Names of a service's data store, made from the service's name and nothing else. */
export interface DataStoreNames {
  /** Of the StatefulSet, its Service, its ConfigMap and its Secret. */
  readonly name: string;
  readonly host: string;
}

/** What the names of data stores are made from. */
export interface DataStoreOwner {
  readonly metadata: Pick<Application["metadata"], "name" | "namespace">;
  readonly spec: Pick<Application["spec"], "database" | "cache">;
}

/**
 * The database of a service. Unless the Application names its user, that and the database's name carry a prefix, so
 * that none can be `postgres` or `pg_…`.
 */
export function databaseNames({
  metadata,
  spec,
}: DataStoreOwner): DataStoreNames & { readonly database: string; readonly username: string } {
  const name = `${metadata.name}-db`;
  const own = `app_${metadata.name.replaceAll("-", "_")}`;
  return {
    name,
    host: `${name}.${metadata.namespace}.svc`,
    database: own,
    username: spec.database?.user ?? own,
  };
}

export function cacheNames({ metadata }: Pick<DataStoreOwner, "metadata">): DataStoreNames {
  const name = `${metadata.name}-cache`;
  return { name, host: `${name}.${metadata.namespace}.svc` };
}

/** Names of the Secrets that a service's pods read. */
export function credentialSecretNames(application: DataStoreOwner): readonly string[] {
  const { database, cache } = application.spec;
  return [
    ...(database === undefined ? [] : [databaseNames(application).name]),
    ...(cache === undefined ? [] : [cacheNames(application).name]),
  ];
}

/**
 * A mark of credentials, the same for the same ones, for the pods that read them: they roll when it changes. Who may
 * read pods but no Secrets learns next to nothing from it: 16 bits, keyed by the Secrets' UIDs. Undefined without any.
 */
export function credentialsMark(secrets: readonly KubeObject[]): string | undefined {
  if (secrets.length === 0) return undefined;
  const content = secrets
    .map(
      ({ metadata, data }) => [metadata.name, metadata.uid ?? "", Object.entries(data ?? {}).sort()] as const,
    )
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return createHmac("sha256", content.map(([, uid]) => uid).join(" "))
    .update(JSON.stringify(content))
    .digest("hex")
    .slice(0, 4);
}

/** A password of 192 random bits in characters that need no quoting anywhere. */
export function generatePassword(randomBytes: (size: number) => Uint8Array): string {
  return Buffer.from(randomBytes(24)).toString("hex");
}

function secret(
  application: Application,
  component: "database" | "cache",
  name: string,
  values: Readonly<Record<string, string>>,
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "Opaque",
    metadata: {
      name,
      namespace: application.metadata.namespace,
      labels: labelsFor(application.metadata.name, application.spec.team, component),
    },
    // `data`, not `stringData`, which is write-only: what is read back compares equal.
    data: Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value, "utf8").toString("base64")]),
    ),
  };
}

/** Secret `<name>-db`, for a PostgreSQL in the cluster: made once, never overwritten. The mesh encrypts the path, so the driver need not. */
export function databaseSecret(application: Application, password: string): KubeObject {
  const names = databaseNames(application);
  const { number: port } = ports.postgres;
  return secret(application, "database", names.name, {
    host: names.host,
    port: String(port),
    database: names.database,
    username: names.username,
    password,
    uri: `postgresql://${names.username}:${password}@${names.host}:${port}/${names.database}?sslmode=disable`,
  });
}

/** Secret `<name>-cache`, for a Redis in the cluster: made once, never overwritten. */
export function cacheSecret(application: Application, password: string): KubeObject {
  const names = cacheNames(application);
  const { number: port } = ports.redis;
  return secret(application, "cache", names.name, {
    host: names.host,
    port: String(port),
    password,
    uri: `redis://:${password}@${names.host}:${port}/0`,
  });
}
