import { createHmac } from "node:crypto";
import type { KubeObject } from "../cluster/object.ts";
import type { Application } from "./application.ts";
import { importedAnnotation, labelsFor } from "./names.ts";
import { ports } from "./ports.ts";
import { externalOf, isInCloud, type StoreKind, storeKinds } from "./store-provider.ts";

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

/** Logins that take turns: while one counts, the other cannot log in. */
export type Logins = readonly [first: string, second: string];

/** Longest name of a login, in bytes (PostgreSQL's NAMEDATALEN - 1). */
const maxLoginLength = 63;

/** A login and the one that takes turns with it; never the same, and never one of PostgreSQL's own (`pg_…`). Pure. */
export function loginsOf(first: string): Logins {
  if (first.toLowerCase() === "pg") return [first, `${first}2`];
  const second = `${first.slice(0, maxLoginLength - 2)}_2`;
  return [first, second === first ? `${first.slice(0, -2)}_3` : second];
}

/** A prefix, so that no service's name makes a login or database `postgres`, `pg_…`, `default` or `platform`. */
function ownName({ metadata }: Pick<DataStoreOwner, "metadata">): string {
  return `app_${metadata.name.replaceAll("-", "_")}`;
}

/** The database of a service; its first login owns it, and is what the Application says where it names a user. */
export function databaseNames(
  owner: DataStoreOwner,
): DataStoreNames & { readonly database: string; readonly logins: Logins } {
  const { metadata, spec } = owner;
  const name = `${metadata.name}-db`;
  return {
    name,
    host: `${name}.${metadata.namespace}.svc`,
    database: ownName(owner),
    logins: loginsOf(spec.database?.user ?? ownName(owner)),
  };
}

/** The user of a cache that administers its users. */
export const cacheAdmin = "platform";

/** The cache of a service. `admin` is the Secret with the password of {@link cacheAdmin}. */
export function cacheNames(
  owner: Pick<DataStoreOwner, "metadata">,
): DataStoreNames & { readonly admin: string; readonly logins: Logins } {
  const name = `${owner.metadata.name}-cache`;
  return {
    name,
    host: `${name}.${owner.metadata.namespace}.svc`,
    admin: `${name}-admin`,
    logins: loginsOf(ownName(owner)),
  };
}

/** The Secret of a rotation that is under way, by the Secret that it rotates: new credentials, and those before. */
export function nextCredentials(secret: string): string {
  return `${secret}-next`;
}

/** Whether a Secret holds this already, as it is encoded; what else it holds does not matter. Pure. */
export function holdsData({ data }: KubeObject, wanted: Readonly<Record<string, unknown>>): boolean {
  const now = Object(data);
  return Object.entries(wanted).every(([key, value]) => Reflect.get(now, key) === value);
}

/** Name of the Secret with a data store's credentials that a service's pods read: the platform's, or one that a person named. */
export function secretReadFor(owner: DataStoreOwner, store: StoreKind): string {
  const own = store === "database" ? databaseNames(owner).name : cacheNames(owner).name;
  return externalOf(owner.spec, store)?.secret ?? own;
}

/** Names of the Secrets with credentials that a service's pods read. */
export function credentialSecretNames(application: DataStoreOwner): readonly string[] {
  return storeKinds
    .filter((store) => application.spec[store] !== undefined)
    .map((store) => secretReadFor(application, store));
}

/**
 * A mark of credentials, the same for the same ones, for the pods that read them: they roll when it changes, also where an
 * import has put other data behind them. Who may read pods but no Secrets learns next to nothing from it: 16 bits, keyed by
 * the Secrets' UIDs. Undefined without any.
 */
export function credentialsMark(secrets: readonly KubeObject[]): string | undefined {
  if (secrets.length === 0) return undefined;
  const content = secrets
    .map(({ metadata, data }) => {
      const imported = metadata.annotations?.[importedAnnotation];
      const values = Object.entries(data ?? {}).sort();
      return [
        metadata.name,
        metadata.uid ?? "",
        values,
        ...(imported === undefined ? [] : [imported]),
      ] as const;
    })
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

/** A Secret of a service. */
export function credentialSecret(
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

/**
 * Values of Secret `<name>-db`, for a PostgreSQL in the cluster. The mesh encrypts the path, so the driver need not.
 * @param username - one of the two logins
 */
export function databaseCredentials(
  application: DataStoreOwner,
  username: string,
  password: string,
): Readonly<Record<string, string>> {
  const { host, database } = databaseNames(application);
  const { number: port } = ports.postgres;
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  return {
    host,
    port: String(port),
    database,
    username,
    password,
    uri: `postgresql://${login}@${host}:${port}/${database}?sslmode=disable`,
  };
}

/**
 * Values of Secret `<name>-cache`, for a Redis in the cluster.
 * @param username - one of the two logins
 */
export function cacheCredentials(
  application: DataStoreOwner,
  username: string,
  password: string,
): Readonly<Record<string, string>> {
  const { host } = cacheNames(application);
  const { number: port } = ports.redis;
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  return { host, port: String(port), username, password, uri: `redis://${login}@${host}:${port}/0` };
}

/** Secret `<name>-db`: made once, and changed by rotations only. */
export function databaseSecret(application: Application, password: string): KubeObject {
  const { name, logins } = databaseNames(application);
  return credentialSecret(
    application,
    "database",
    name,
    databaseCredentials(application, logins[0], password),
  );
}

/** Secret `<name>-cache`: made once, and changed by rotations only. */
export function cacheSecret(application: Application, password: string): KubeObject {
  const { name, logins } = cacheNames(application);
  return credentialSecret(application, "cache", name, cacheCredentials(application, logins[0], password));
}

/** Secret `<name>-cache-admin`: made once. The service's own pods do not read it. */
export function cacheAdminSecret(application: Application, password: string): KubeObject {
  const { admin } = cacheNames(application);
  return credentialSecret(application, "cache", admin, { username: cacheAdmin, password });
}

/** Key of a Secret of a data store outside of the cluster: the certificates that its own is signed by. Public. */
export const certificateKey = "ca.crt";

/** How a data store outside of the cluster is reached, as far as it is no secret. */
export interface CloudEndpoint {
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly certificates: readonly string[];
}

/** Secret `<name>-db` of a database outside of the cluster, before it is there: the password is made first, once. */
export function cloudDatabaseSecret(application: Application, password: string): KubeObject {
  const { name, database, logins } = databaseNames(application);
  return credentialSecret(application, "database", name, { database, username: logins[0], password });
}

/** Whether a Secret says where a data store outside of the cluster is: until it is there, it has a password at most. Pure. */
export function tellsWhere({ data }: KubeObject): boolean {
  return "host" in Object(data);
}

/**
 * Values of Secret `<name>-db` once the database is there. TLS is demanded on the path.
 * @param username - one of the two logins
 */
export function cloudDatabaseCredentials(
  application: DataStoreOwner,
  { host, port, certificates }: CloudEndpoint,
  username: string,
  password: string,
): Readonly<Record<string, string>> {
  const { database } = databaseNames(application);
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  return {
    host,
    port: String(port),
    database,
    username,
    password,
    uri: `postgresql://${login}@${host}:${port}/${database}?sslmode=require`,
    [certificateKey]: certificates.join("\n"),
  };
}

/** Beginning of the keys that keep what the values of a Secret were before. */
const beforeKey = "before.";

/**
 * Values of Secret `<name>-db-<copy>` before that instance is there: who logs in to it, and all that the service's own Secret
 * says, so that it can be told again.
 */
export function otherInstanceSecret(
  values: Readonly<Record<string, string>>,
  login: { readonly username: string; readonly password: string },
): Readonly<Record<string, string>> {
  return {
    ...values,
    ...login,
    ...Object.fromEntries(Object.entries(values).map(([key, value]) => [`${beforeKey}${key}`, value])),
  };
}

/** What it says besides once the instance is there. TLS is demanded on the path. */
export function otherInstanceEndpoint(
  { username = "", password = "", database = "" }: Readonly<Record<string, string>>,
  { host, port, certificates }: CloudEndpoint,
): Readonly<Record<string, string>> {
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  return {
    host,
    port: String(port),
    uri: `postgresql://${login}@${host}:${port}/${database}?sslmode=require`,
    [certificateKey]: certificates.join("\n"),
  };
}

/** The two sides that such a Secret has: what is to be told to the service, and what was before. As they stand in it. */
export function instanceSides({ data }: KubeObject): {
  readonly restored: Readonly<Record<string, unknown>>;
  readonly before: Readonly<Record<string, unknown>>;
} {
  const entries = Object.entries(Object(data));
  const isBefore = ([key]: readonly [string, unknown]) => key.startsWith(beforeKey);
  return {
    restored: Object.fromEntries(entries.filter((entry) => !isBefore(entry))),
    before: Object.fromEntries(
      entries.filter(isBefore).map(([key, value]) => [key.slice(beforeKey.length), value]),
    ),
  };
}

/** Redis' user whose password is Memorystore's AUTH string. */
const redisDefaultUser = "default";

/** Values of Secret `<name>-cache` of a cache outside of the cluster: its password is the cloud's own. */
export function cloudCacheCredentials(
  { host, port, certificates }: CloudEndpoint,
  password: string,
): Readonly<Record<string, string>> {
  return {
    host,
    port: String(port),
    username: redisDefaultUser,
    password,
    uri: `rediss://${redisDefaultUser}:${encodeURIComponent(password)}@${host}:${port}/0`,
    [certificateKey]: certificates.join("\n"),
  };
}

/** What makes a password's Secret. */
export type SecretOf = (application: Application, password: string) => KubeObject;

/** The Secrets that a data store needs before it starts. The first is the one that the service's pods read. */
export const secretsOfStore: Readonly<Record<"database" | "cache", readonly [SecretOf, ...SecretOf[]]>> = {
  database: [databaseSecret],
  cache: [cacheSecret, cacheAdminSecret],
};

/** Names of the Secrets of a service's data store. The first is the one that the service's pods read. Pure. */
export function secretNamesOf(application: Application, store: "database" | "cache"): readonly string[] {
  if (externalOf(application.spec, store) !== undefined) return [secretReadFor(application, store)];
  const [first, ...more] = secretsOfStore[store].map((of) => of(application, "").metadata.name);
  if (first === undefined) return [];
  return isInCloud(application.spec, store) ? [first] : [first, ...more];
}
