import type { KubeObject } from "../cluster/object.ts";
import type { Application } from "./application.ts";
import { labelsFor, namespaceOf, type ServiceName, serviceNameSchema } from "./names.ts";
import { ports } from "./ports.ts";

/** Names of a service's data store, made from the service's name and nothing else. */
export interface DataStoreNames {
  /** Of the StatefulSet, its Service, its ConfigMap and its Secret. */
  readonly name: string;
  readonly host: string;
}

/** The database of a service. Its user and its name carry a prefix, so that none can be `postgres` or `pg_…`. */
export function databaseNames(
  service: ServiceName,
): DataStoreNames & { readonly database: string; readonly username: string } {
  const name = `${service}-db`;
  const own = `app_${service.replaceAll("-", "_")}`;
  return { name, host: `${name}.${namespaceOf(service)}.svc`, database: own, username: own };
}

export function cacheNames(service: ServiceName): DataStoreNames {
  const name = `${service}-cache`;
  return { name, host: `${name}.${namespaceOf(service)}.svc` };
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
      namespace: namespaceOf(serviceNameSchema.parse(application.metadata.name)),
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
  const names = databaseNames(serviceNameSchema.parse(application.metadata.name));
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
  const names = cacheNames(serviceNameSchema.parse(application.metadata.name));
  const { number: port } = ports.redis;
  return secret(application, "cache", names.name, {
    host: names.host,
    port: String(port),
    password,
    uri: `redis://:${password}@${names.host}:${port}/0`,
  });
}
