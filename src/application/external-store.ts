import { BlockList, isIP } from "node:net";
import { z } from "zod";
import type { KubeObject } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import { labels } from "./names.ts";
import { addressPeer, namespaceOfHost, namespacePeer, type Peer } from "./peers.ts";

/** Name of a Secret that a person has made; one of a service's own values has dots in its name, and cannot be named. */
export const externalSecretPattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** A host: a DNS name in lower case, or an address of IPv4 or IPv6. */
const hostPattern = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?|[0-9a-f:.]{2,45})$/;

/** A data store that exists already and is not the platform's: where it is, and what says how to log in. */
export const externalStoreSchema = z
  .strictObject({
    secret: z
      .string()
      .regex(externalSecretPattern, "is not the name of a Secret, without dots")
      .describe(
        "Secret in the Application's namespace with its credentials: keys host, port, username, password, uri and, of a database, database; sslmode and ca.crt where it has them.",
      ),
    host: z
      .string()
      .max(253)
      .regex(hostPattern, "is not a host")
      .refine((host) => !host.includes(":") || isIP(host) === 6, "is not a host")
      .describe(
        "Host name or address, the same as in the Secret: the path through the network is opened to it.",
      ),
    port: z.int().min(1).max(65_535).describe("Its port, the same as in the Secret."),
  })
  .describe(
    "Of one that exists already, with provider external: the platform logs in to it, and makes, changes and deletes nothing of it.",
  );
export type ExternalStore = Readonly<z.output<typeof externalStoreSchema>>;

/** What an address is, as a person types it: `HOST:PORT`, of IPv6 `[HOST]:PORT`. */
export const addressPattern = /^(\[[0-9a-f.]*:[0-9a-f:.]*\]|[a-z0-9]([-a-z0-9.]*[a-z0-9])?):[1-9][0-9]{0,4}$/;

/** Host and port of an address; undefined where it is none. Pure. */
export function addressOf(text: string): Pick<ExternalStore, "host" | "port"> | undefined {
  if (!addressPattern.test(text)) return undefined;
  const colon = text.lastIndexOf(":");
  const parsed = externalStoreSchema
    .pick({ host: true, port: true })
    .safeParse({ host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) });
  return parsed.data;
}

/** Host and port as {@link addressOf} reads them. Pure. */
export function addressText({ host, port }: Pick<ExternalStore, "host" | "port">): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

type Allowed = Pick<Standards, "dataStores">;

function isWithin(range: string, address: string): boolean {
  const [network = "", length = ""] = range.split("/");
  const family = isIP(address);
  if (family === 0 || family !== isIP(network)) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, Number(length), type);
  return list.check(address, type);
}

/**
 * Where a path through the closed network is opened to, as far as the standards allow one; none: it stays closed. A
 * NetworkPolicy knows no host names: of one, all addresses that the standards allow are opened, on its port. Pure.
 */
export function peersOf({ host }: ExternalStore, { dataStores: { external } }: Allowed): readonly Peer[] {
  const namespace = namespaceOfHost(host);
  if (namespace !== undefined) {
    return external.namespaces.includes(namespace) ? [namespacePeer(namespace)] : [];
  }
  if (isIP(host) === 0) return external.ranges.map((cidr) => ({ ipBlock: { cidr } }));
  return external.ranges.some((range) => isWithin(range, host)) ? [addressPeer(host)] : [];
}

/** Why the standards let no path be opened to it; undefined where they do. Pure. */
export function pathProblem(store: ExternalStore, standards: Allowed): string | undefined {
  if (peersOf(store, standards).length > 0) return undefined;
  const { ranges, namespaces } = standards.dataStores.external;
  if (ranges.length === 0 && namespaces.length === 0) {
    return "the standards allow no data store that is not the platform's (dataStores.external is empty)";
  }
  const allowed = [...ranges, ...namespaces.map((name) => `Services in namespace ${name}`)].join(", ");
  return `${store.host} is nowhere the standards allow one to be (dataStores.external): ${allowed}`;
}

/** What the opened path lets through, for a plan: never less than it does. Pure. */
export function pathText(store: ExternalStore, standards: Allowed): string {
  const { host, port } = store;
  const namespace = namespaceOfHost(host);
  if (namespace !== undefined) {
    return `its pods reach every pod of namespace ${namespace} on port ${port}: the Service's pods have to listen on it too`;
  }
  if (isIP(host) !== 0) return `its pods reach ${host} on port ${port}`;
  const ranges = standards.dataStores.external.ranges.join(", ");
  return `its pods reach every address of ${ranges} on port ${port}: a network policy knows no host names`;
}

/** Keys that a Secret must have, by what it opens. */
export const externalKeys = {
  database: ["host", "port", "database", "username", "password", "uri"],
  cache: ["host", "port", "username", "password", "uri"],
} as const;

/** How a path is encrypted, as PostgreSQL's clients name it. */
const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
/** What the proof of a login demands where the Secret names no sslmode. */
export const usualSslMode = "require";

const schemes = { database: ["postgresql:", "postgres:"], cache: ["redis:", "rediss:"] } as const;
const usualPorts = { database: 5432, cache: 6379 } as const;

/** Everything that keeps a Secret from being used for a data store; none of it tells a value. Pure. */
export function secretProblems(
  secret: KubeObject,
  store: ExternalStore,
  kind: keyof typeof externalKeys,
): readonly string[] {
  // Another service's password is not to be had by naming its Secret.
  if (secret.metadata.labels?.[labels.managed] === "true") {
    return ["was made by the platform: only one that somebody else has made can be named"];
  }
  const type = typeof secret.type === "string" ? secret.type : "Opaque";
  if (!/^(Opaque|kubernetes\.io\/basic-auth|servicebinding\.io\/.*)$/.test(type)) {
    return [`is of type ${type}, which holds no credentials of a data store: make one of type Opaque`];
  }
  const values = new Map(
    Object.entries(secret.data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(String(value), "base64").toString("utf8"),
    ]),
  );
  const missing = externalKeys[kind].filter((key) => (values.get(key) ?? "") === "");
  if (missing.length > 0) {
    return missing.map((key) => (values.has(key) ? `has nothing in key ${key}` : `has no key ${key}`));
  }
  const value = (key: string) => values.get(key) ?? "";
  return [
    ...(value("host").toLowerCase() === store.host
      ? []
      : [`has another host in key host than ${store.host}`]),
    ...(value("port") === String(store.port) ? [] : [`has another port in key port than ${store.port}`]),
    ...uriProblems(value, store, kind),
    ...(kind === "database" ? sslProblems(values) : []),
  ];
}

/** What the service's pods are told at once must be what they are told in parts. */
function uriProblems(
  value: (key: string) => string,
  store: ExternalStore,
  kind: keyof typeof externalKeys,
): readonly string[] {
  const uri = URL.canParse(value("uri")) ? new URL(value("uri")) : undefined;
  const allowed: readonly string[] = schemes[kind];
  if (uri === undefined || !allowed.includes(uri.protocol)) {
    return [`has no ${allowed[0]}// address in key uri`];
  }
  const differs = (what: string, inUri: string, other: string) =>
    decoded(inUri) === other ? [] : [`has another ${what} in key uri than in key ${what}`];
  const port = uri.port === "" ? String(usualPorts[kind]) : uri.port;
  return [
    ...(uri.hostname.toLowerCase().replace(/^\[|\]$/g, "") === store.host
      ? []
      : [`has another host in key uri than ${store.host}`]),
    ...(port === String(store.port) ? [] : [`has another port in key uri than ${store.port}`]),
    // Redis' own user need not be named.
    ...(kind === "cache" && uri.username === "" && value("username") === "default"
      ? []
      : differs("username", uri.username, value("username"))),
    ...differs("password", uri.password, value("password")),
    ...(kind === "database" ? differs("database", uri.pathname.slice(1), value("database")) : []),
    ...(uri.protocol === "rediss:" && value("ca.crt") === ""
      ? ["has a rediss:// address in key uri and no key ca.crt, by which its certificate is judged"]
      : []),
  ];
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function sslProblems(values: ReadonlyMap<string, string>): readonly string[] {
  const mode = values.get("sslmode") ?? usualSslMode;
  if (!sslModes.includes(mode)) return [`has none of ${sslModes.join(", ")} in key sslmode`];
  if (mode.startsWith("verify-") && (values.get("ca.crt") ?? "") === "") {
    return ["has verify-… in key sslmode and no key ca.crt, by which the certificate is judged"];
  }
  const uri = values.get("uri") ?? "";
  const said = URL.canParse(uri) ? new URL(uri).searchParams.get("sslmode") : null;
  return said === null || said === mode
    ? []
    : [
        `has another sslmode in key uri than ${values.has("sslmode") ? "in key sslmode" : `${usualSslMode}, which counts without a key sslmode`}`,
      ];
}
