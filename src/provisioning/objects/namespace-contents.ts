import { labels, type ServiceName } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import type { KubeObject, ObjectMeta } from "../../cluster/object.ts";
import { apiVersionOf, type Resource, resources } from "../../cluster/resource.ts";
import { cleanText } from "../../cluster/text.ts";
import { dataHashAnnotation } from "../../secrets/external-secrets.ts";
import type { Clock } from "../clock.ts";
import { effectKey } from "../runs/effect.ts";
import { type ObjectEffect, objectEffect, waitUntilGone } from "./objects.ts";

/** Kinds that controllers write beside what people make; they go when their cause goes. */
const byProducts = new Set([
  "Event",
  "Endpoints",
  "EndpointSlice",
  "Lease",
  "ControllerRevision",
  "PodMetrics",
]);
/** Objects that Kubernetes or the mesh puts into every namespace. */
const defaults = new Set([
  "ServiceAccount/default",
  "ConfigMap/kube-root-ca.crt",
  "ConfigMap/istio-ca-root-cert",
]);
/** Marks of Secrets that a controller made for an object of the namespace. */
const derivedBy = ["kubernetes.io/service-account.name", "cert-manager.io/certificate-name"];

/**
 * Whether a volume claim was made by a data store's StatefulSet of this name, or holds its backups. Those of `my-api-db`
 * are none of `api-db`: both may be in one namespace. Pure.
 */
export function isClaimOf(claim: string, statefulSet: string): boolean {
  return claim === `${statefulSet}-backups` || claim.replace(/-\d+$/, "-") === `data-${statefulSet}-`;
}

/** What decides whose an object in a namespace is. */
export interface Ownership {
  /** Keys of the objects that are accounted for. */
  readonly effects: ReadonlySet<string>;
  /** Name of the run whose objects are accounted for; unset: all that carry the service's labels are. */
  readonly run?: string;
  readonly service: string;
  /** Names of the StatefulSets whose volume claims are accounted for. */
  readonly statefulSets: readonly string[];
}

/** Whether an object is neither accounted for, nor a dependent of another, nor one of Kubernetes' own. Pure. */
export function isForeign(
  kind: string,
  apiVersion: string,
  metadata: ObjectMeta,
  ownership: Ownership,
): boolean {
  const { name, namespace, labels: found = {}, annotations = {}, ownerReferences = [] } = metadata;
  if (byProducts.has(kind) || defaults.has(`${kind}/${name}`) || ownerReferences.length > 0) return false;
  if (kind === "Secret" && derivedBy.some((mark) => mark in annotations)) return false;
  if (kind === "Secret" && dataHashAnnotation in annotations && ownership.effects.has(requestKey(metadata)))
    return false;
  if (kind === "PersistentVolumeClaim" && ownership.statefulSets.some((set) => isClaimOf(name, set)))
    return false;
  const key = effectKey({
    kind: "object",
    apiVersion,
    type: kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
  });
  if (ownership.effects.has(key)) return false;
  if (ownership.run !== undefined) return found[labels.run] !== ownership.run;
  return found[labels.managed] !== "true" || found[labels.service] !== ownership.service;
}

/** Key of what External Secrets Operator has made a Secret of this name for: nobody may have taken that one over yet. */
function requestKey({ name, namespace }: ObjectMeta): string {
  return effectKey({
    kind: "object",
    apiVersion: apiVersionOf(resources.externalSecrets),
    type: resources.externalSecrets.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
  });
}

/**
 * What a namespace holds beyond what is accounted for, of every kind the cluster serves, as
 * `configmap/notes`. What cannot be listed counts as foreign, since nothing unseen may be deleted; with `onUnlisted`, for
 * a preview, it is told instead, and taken to be empty.
 */
export async function foreignObjects(
  cluster: Cluster,
  namespace: string,
  ownership: Ownership,
  onUnlisted?: (plural: string) => void,
): Promise<readonly string[]> {
  const served = (await cluster.discover()).filter((resource) => resource.namespaced);
  const found = await Promise.all(
    served.map((resource) => foreignOf(cluster, resource, namespace, ownership, onUnlisted)),
  );
  return found.flat();
}

async function foreignOf(
  cluster: Cluster,
  resource: Resource,
  namespace: string,
  ownership: Ownership,
  onUnlisted: ((plural: string) => void) | undefined,
): Promise<readonly string[]> {
  // Served by aggregation, computed from what is listed elsewhere.
  if (byProducts.has(resource.kind) || resource.group === "metrics.k8s.io") return [];
  try {
    const { items } = await cluster.listMetadata(resource, { namespace });
    return items
      .filter(({ metadata }) =>
        isForeign(resource.kind, apiVersionOf(resource), { namespace, ...metadata }, ownership),
      )
      .map(({ metadata }) => cleanText(`${resource.kind.toLowerCase()}/${metadata.name}`));
  } catch (error) {
    if (isClusterError(error, "not-found")) return [];
    if (!isClusterError(error, "forbidden")) throw error;
    if (onUnlisted === undefined) return [`${resource.plural} (you may not list them)`];
    onUnlisted(resource.plural);
    return [];
  }
}

/** Volume claims of a StatefulSet: they outlive it, and hold its data. */
export async function claimsOf(
  cluster: Cluster,
  namespace: string,
  statefulSet: string,
): Promise<readonly KubeObject[]> {
  const { items } = await cluster.list(resources.persistentVolumeClaims, { namespace });
  return items
    .filter(({ metadata }) => isClaimOf(metadata.name, statefulSet))
    .map((item) => ({ ...item, apiVersion: "v1", kind: "PersistentVolumeClaim" }));
}

/** Deletes the volume claims of a StatefulSet that is gone, and waits until they are; the data is lost. */
export async function deleteClaims(
  cluster: Cluster,
  clock: Clock,
  namespace: string,
  statefulSet: string,
  signal: AbortSignal,
): Promise<readonly ObjectEffect[]> {
  const claims = await claimsOf(cluster, namespace, statefulSet);
  await Promise.all(
    claims.map(async (claim) => {
      const { uid, name } = claim.metadata;
      try {
        await cluster.delete(
          resources.persistentVolumeClaims,
          { namespace, name },
          uid === undefined ? {} : { uid },
        );
      } catch (error) {
        if (!isClusterError(error, "not-found", "conflict")) throw error;
      }
      await waitUntilGone(cluster, clock, objectEffect(claim), uid, { signal });
    }),
  );
  return claims.map(objectEffect);
}

/** Whether a Secret of this name is one without which a data store does not start, or cannot be reached. */
export function isSecretOf(secret: string, store: string): boolean {
  return secret === store || secret === `${store}-admin`;
}

/** Name of a service's data store: of its StatefulSet or of the ConfigMap that says where it is, and of its Secret. */
export function dataStoreName(service: ServiceName | string, store: "db" | "cache"): string {
  return `${service}-${store}`;
}

/** What an instance of a database is called among all of its, where a restore has made it: after the run's own name. */
const copyName = /^r[2-9a-hjkmnp-z]{5}$/;

/** Which instance an object's name is about, where it is another one of this data store than it had at first. Pure. */
export function copyIn(name: string, store: string): string | undefined {
  const rest = name.startsWith(`${store}-`) ? name.slice(store.length + 1) : "";
  return copyName.test(rest) ? rest : undefined;
}

/** Whether an object's name is that of another instance of this data store, which the service does not use. Pure. */
export function isBeside(name: string, store: string): boolean {
  return copyIn(name, store) !== undefined;
}

/** Names that a service's data stores have. */
export function dataStoreNames(service: ServiceName | string): readonly string[] {
  return [dataStoreName(service, "db"), dataStoreName(service, "cache")];
}
