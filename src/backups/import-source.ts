import { isIP } from "node:net";
import { z } from "zod";
import { addressPeer, namespaceOfHost, namespacePeer, type Peer } from "../application/peers.ts";
import type { KubeObject } from "../cluster/object.ts";

/**
 * Keys of the Secret that says where an import's source is. `sslmode` is `require` where it is left out; with `ca.crt` (PEM)
 * the source's certificate is proven against that.
 */
export const sourceKeys = ["host", "port", "database", "username", "password"] as const;
export const sourceModes = ["require", "prefer", "disable"] as const;

/** Name of a Secret, as Kubernetes takes it. */
export const sourceNameSchema = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, "is not the name of a secret");

/** Where a source listens: all that a path through the network needs to know. */
export interface SourceAddress {
  readonly host: string;
  readonly port: number;
}

const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?)*\.?$/;

/**
 * What a Secret says of where the source is, or what is wrong with it, key by key: never with a value. Pure.
 */
export function sourceIn(
  secret: KubeObject,
):
  | { readonly address: SourceAddress; readonly problems?: undefined }
  | { readonly address?: undefined; readonly problems: readonly string[] } {
  const data = z.record(z.string(), z.string()).catch({}).parse(secret.data);
  const value = (key: string) =>
    data[key] === undefined ? undefined : Buffer.from(data[key], "base64").toString("utf8");
  const problems = sourceKeys.flatMap((key) => {
    const text = value(key);
    if (text === undefined || text === "") return [`it has no ${key}`];
    if (/[\n\r]$/.test(text)) return [`its ${key} ends with a line break`];
    if (text.includes("\0")) return [`its ${key} cannot be one`];
    if (key === "host" && isIP(text) === 0 && !hostName.test(text))
      return ["its host is neither a DNS name nor an address"];
    if (key === "port" && !(/^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535))
      return ["its port is no number of a port"];
    return [];
  });
  const mode = value("sslmode");
  if (mode !== undefined && !sourceModes.some((each) => each === mode))
    problems.push(`its sslmode is none of ${sourceModes.join(", ")}`);
  const certificate = value("ca.crt");
  if (certificate !== undefined && !certificate.includes("-----BEGIN CERTIFICATE-----"))
    problems.push("its ca.crt is no certificate in PEM");
  return problems.length > 0
    ? { problems }
    : { address: { host: value("host") ?? "", port: Number(value("port")) } };
}

/**
 * Whom a pod may call to reach a source: that address; the pods of the namespace that a Service's name says; behind any other
 * name any address, on the source's port, since a network policy knows no names. Pure.
 */
export function sourcePeers({ host }: SourceAddress): readonly Peer[] {
  if (isIP(host) !== 0) return [addressPeer(host)];
  const namespace = namespaceOfHost(host);
  return namespace === undefined
    ? [{ ipBlock: { cidr: "0.0.0.0/0" } }, { ipBlock: { cidr: "::/0" } }]
    : [namespacePeer(namespace)];
}

/** What the Job of a proof found at the source. */
export const sourceFactsSchema = z.strictObject({
  /** Major version of its server. */
  version: z.int(),
  tables: z.int().min(0),
  bytes: z.int().min(0),
  /** Whether nobody could write to it before the import. */
  readOnly: z.boolean(),
});

/** What the Job of a copy made. */
export const copyFactsSchema = z.strictObject({
  tables: z.int().min(0),
  rows: z.int().min(0),
  /** How long dump, copy and comparison took. */
  seconds: z.int().min(0),
});
export type CopyFacts = z.output<typeof copyFactsSchema>;

/** What the Job did that made the source read-only. */
export const closedFactsSchema = z.strictObject({
  /** Whether for every login; else for the import's own. */
  whole: z.boolean(),
  /** Sessions of others that it could not end. */
  left: z.int().min(0),
});

/** What a Job said, where it is of this shape; undefined where it said nothing, or something else. Pure. */
export function saidBy<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
