import { z } from "zod";
import type { Application } from "../application/application.ts";
import { secretNamesOf } from "../application/credentials.ts";
import { desiredObjects, parts } from "../application/desired-objects.ts";
import { labels } from "../application/names.ts";
import { ownSecretName } from "../application/own-secrets.ts";
import { externalOf } from "../application/store-provider.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import type { KubeObject, ObjectMeta } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import type { Standards } from "../standards/standards.ts";
import { dataHashAnnotation } from "./external-secrets.ts";
import { type Rotatable, rotatable, secretVersion, storeNames } from "./rotation.ts";

/** What may be told of a Secret: never a value. */
export interface SecretInfo {
  readonly name: string;
  /** What it is for. */
  readonly of: "database" | "cache" | "own" | "other";
  /** Of one of the service's own: the variable that its pods have it as. */
  readonly variable?: string;
  /**
   * 1 when it was made, one more with each rotation or set. Of one of the service's own it is what its pods read;
   * of others unset where whoever looks may not see it, or it is not there.
   */
  readonly version?: number;
  /** When it was made and last changed, RFC 3339; unset where whoever looks may not see it, or it is not there. */
  readonly createdAt?: string;
  readonly changedAt?: string;
  /** Who reads it: `deployment/ledger`. */
  readonly users: readonly string[];
  /** Whether a rotation gives it another password. */
  readonly rotates: boolean;
  /** Of a data store that is not the platform's: whoever runs that has made it. */
  readonly external?: true;
}

/** The Secrets of a service, and whether what only the cluster knows of them could be seen. */
export interface Secrets {
  readonly items: readonly SecretInfo[];
  readonly seen: boolean;
}

/**
 * The Secrets of a service: those that it needs, those that its Application names, and those that carry its labels. Asks for their metadata alone, so
 * that no value leaves the cluster; whoever may not even do that is told what follows from the Application.
 * @param turning - the data stores whose logins take turns, by who runs them
 * @throws ClusterError
 */
export async function listSecrets(
  cluster: Cluster,
  application: Application,
  standards: Standards,
  turning: readonly Rotatable[],
): Promise<Secrets> {
  const { name: service, namespace } = application.metadata;
  const found = await metadataOfSecrets(cluster, namespace);
  const stores = rotatable.filter((store) => application.spec[store] !== undefined);
  const expected = stores.flatMap((store) =>
    secretNamesOf(application, store).map((name) => ({ name, of: store })),
  );
  const kinds = new Map<string, SecretInfo["of"]>(expected.map(({ name, of }) => [name, of]));
  const own = new Map(
    (application.spec.secrets ?? []).map((secret) => [ownSecretName(service, secret), secret]),
  );
  for (const name of own.keys()) kinds.set(name, "own");
  for (const { name, labels: given = {} } of found ?? []) {
    if (given[labels.managed] !== "true" || given[labels.service] !== service) continue;
    const of = given[labels.component];
    if (!kinds.has(name)) kinds.set(name, of === "database" || of === "cache" ? of : "other");
  }
  const objects = parts.flatMap((part) => desiredObjects(application, standards)[part]);
  const rotating = new Set(turning.map((store) => storeNames(application, store).name));
  const external = new Set(stores.flatMap((store) => externalOf(application.spec, store)?.secret ?? []));
  const items = [...kinds].map(([name, of]): SecretInfo => {
    const metadata = found?.find((each) => each.name === name);
    const { key: variable, version } = own.get(name) ?? {};
    return {
      name,
      of,
      ...(metadata === undefined ? {} : timesOf(metadata, external.has(name))),
      ...(variable === undefined || version === undefined ? {} : { variable, version }),
      users: readersOf(objects, name),
      // What External Secrets Operator has made is made once and for good.
      rotates: rotating.has(name) && metadata?.annotations?.[dataHashAnnotation] === undefined,
      ...(external.has(name) ? { external: true as const } : {}),
    };
  });
  return {
    items: items.sort((one, other) => (one.name < other.name ? -1 : 1)),
    seen: found !== undefined,
  };
}

const managedSchema = z.looseObject({ time: z.string().optional() });

/** Undefined: whoever asks may not see them. */
async function metadataOfSecrets(
  cluster: Cluster,
  namespace: string,
): Promise<readonly ObjectMeta[] | undefined> {
  try {
    const { items } = await cluster.listMetadata(resources.secrets, { namespace });
    return items.map(({ metadata }) => metadata);
  } catch (error) {
    if (isClusterError(error, "forbidden")) return undefined;
    throw error;
  }
}

/** @param external - nobody counts how often what is not the platform's is changed */
function timesOf(
  metadata: ObjectMeta,
  external: boolean,
): Pick<SecretInfo, "version" | "createdAt" | "changedAt"> {
  const { annotations, creationTimestamp: createdAt, managedFields = [] } = metadata;
  const times = managedFields.flatMap((entry) => managedSchema.safeParse(entry).data?.time ?? []).sort();
  const changedAt = times.at(-1) ?? createdAt;
  return {
    ...(external ? {} : { version: secretVersion(annotations) }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(changedAt === undefined ? {} : { changedAt }),
  };
}

/** The workloads whose pods read a Secret, as variables or as files. Pure. */
export function readersOf(objects: readonly KubeObject[], secret: string): readonly string[] {
  return objects
    .filter(({ spec }) => refersTo(spec, secret))
    .map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`);
}

const references = new Set(["secretKeyRef", "secretRef", "secret"]);

function refersTo(node: unknown, secret: string): boolean {
  if (Array.isArray(node)) return node.some((each) => refersTo(each, secret));
  if (typeof node !== "object" || node === null) return false;
  return Object.entries(node).some(([key, value]: [string, unknown]) => {
    if (references.has(key) && typeof value === "object" && value !== null) {
      const name: unknown = "secretName" in value ? value.secretName : Reflect.get(value, "name");
      if (name === secret) return true;
    }
    return refersTo(value, secret);
  });
}
