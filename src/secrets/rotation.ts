import type { Application } from "../application/application.ts";
import {
  cacheCredentials,
  cacheNames,
  certificateKey,
  cloudDatabaseCredentials,
  credentialSecret,
  databaseCredentials,
  databaseNames,
  type Logins,
  nextCredentials,
} from "../application/credentials.ts";
import { secretVersionAnnotation } from "../application/names.ts";
import { ports } from "../application/ports.ts";
import { providerOf } from "../application/store-provider.ts";
import type { KubeObject, ObjectMeta } from "../cluster/object.ts";
import { scramVerifier } from "./scram.ts";

/** Data stores whose credentials take turns. */
export const rotatable = ["database", "cache"] as const;
export type Rotatable = (typeof rotatable)[number];

/** A login and its password. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** What a rotation changes from, and to. */
export interface Turn {
  readonly next: Login;
  readonly previous: Login;
  /** Of the Secret that the service's pods read, once it holds `next`. */
  readonly version: number;
}

/** Names of a data store, whichever it is. */
export function storeNames(
  application: Application,
  store: Rotatable,
): { readonly name: string; readonly host: string; readonly logins: Logins } {
  return store === "database" ? databaseNames(application) : cacheNames(application);
}

/** The login that takes turns with this one; undefined where it is neither of the two. Pure. */
export function otherLogin([first, second]: Logins, username: string): string | undefined {
  if (username === first) return second;
  return username === second ? first : undefined;
}

/** A Secret's values as text. Pure. */
export function secretValues(secret: KubeObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(String(value), "base64").toString("utf8"),
    ]),
  );
}

/** The login that a Secret holds; undefined where it holds none. Pure. */
export function loginIn(secret: KubeObject): Login | undefined {
  const { username, password } = secretValues(secret);
  return username === undefined || password === undefined ? undefined : { username, password };
}

/** How often a Secret has been given other values, counted from 1, by its annotations. Pure. */
export function secretVersion(annotations: ObjectMeta["annotations"]): number {
  const version = Number(annotations?.[secretVersionAnnotation] ?? "1");
  return Number.isSafeInteger(version) && version > 0 ? version : 1;
}

/**
 * Secret `<name>-db-next` or `<name>-cache-next`: both sides of a rotation while it is under way, so that whoever goes on
 * with it or takes it back knows them. PostgreSQL is given the verifiers, never the passwords.
 * @param randomBytes - for the salt
 */
export function turnSecret(
  application: Application,
  store: Rotatable,
  { next, previous, version }: Turn,
  randomBytes: (size: number) => Uint8Array,
): KubeObject {
  const name = nextCredentials(storeNames(application, store).name);
  const secret = credentialSecret(application, store, name, {
    ...next,
    previousUsername: previous.username,
    previousPassword: previous.password,
    ...(store === "database" ? { verifier: scramVerifier(next.password, randomBytes(16)) } : {}),
  });
  const annotations = { [secretVersionAnnotation]: String(version) };
  return { ...secret, metadata: { ...secret.metadata, annotations } };
}

/** Both sides of a rotation, from its Secret; undefined where that is damaged. Pure. */
export function turnIn(secret: KubeObject): Turn | undefined {
  const { username, password, previousUsername, previousPassword } = secretValues(secret);
  if (username === undefined || password === undefined) return undefined;
  if (previousUsername === undefined || previousPassword === undefined) return undefined;
  return {
    next: { username, password },
    previous: { username: previousUsername, password: previousPassword },
    version: secretVersion(secret.metadata.annotations),
  };
}

/**
 * `data` of the Secret that the service's pods read, with this login. Pure.
 * @param secret - as it is: where a database at Google is, nothing else says
 */
export function storeData(
  application: Application,
  store: Rotatable,
  login: Login,
  secret: KubeObject,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(valuesWith(application, store, login, secret)).map(([key, value]) => [
      key,
      Buffer.from(value, "utf8").toString("base64"),
    ]),
  );
}

function valuesWith(
  application: Application,
  store: Rotatable,
  { username, password }: Login,
  secret: KubeObject,
): Readonly<Record<string, string>> {
  if (store === "cache") return cacheCredentials(application, username, password);
  if (!isCloudSql(application)) return databaseCredentials(application, username, password);
  const { host = "", port = ports.postgres.number, [certificateKey]: certificate } = secretValues(secret);
  const certificates = certificate === undefined ? [] : [certificate];
  return cloudDatabaseCredentials(
    application,
    { host, port: Number(port), certificates },
    username,
    password,
  );
}

/** Whether the service's database is at Cloud SQL: its logins change by other means than those of one in the cluster. Pure. */
export function isCloudSql({ spec }: Pick<Application, "spec">): boolean {
  return providerOf(spec, "database") === "cloudsql";
}
