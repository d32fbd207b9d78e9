import { isDeepStrictEqual } from "node:util";
import { fieldManager, labels, releaseAnnotation } from "../../application/names.ts";
import { apply, type Cluster } from "../../cluster/cluster.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { ownedFields, sameContent } from "../../cluster/owned-fields.ts";
import { replicasOf, withReplicas } from "../../cluster/replicas.ts";
import { resourceOf } from "../../cluster/resource.ts";

/**
 * Whether an object's `spec` is one document, which others edit too: an apply that gives up the last field of a map
 * leaves `null` on a custom resource, which its schema refuses. So it is written whole.
 */
export function isWrittenWhole({ kind }: Pick<KubeObject, "kind">): boolean {
  return kind === "Application" || kind === "Standards";
}

/** Whether writing this would alter nothing: it is what the platform has applied already. Pure. */
export function asWanted(desired: KubeObject, existing: KubeObject): boolean {
  if (isWrittenWhole(desired)) {
    const release = ({ metadata }: KubeObject) => metadata.annotations?.[releaseAnnotation];
    return (
      isDeepStrictEqual(JSON.parse(JSON.stringify(desired.spec)), existing.spec) &&
      (release(desired) === undefined || release(desired) === release(existing))
    );
  }
  const owned = ownedFields(existing, fieldManager);
  return owned !== undefined && sameContent(owned, keepingReplicas(desired, owned));
}

/**
 * A Deployment that is to leave its replicas to an autoscaler keeps the number that the platform has applied until the
 * autoscaler asks for another: a field that nobody applies any more falls back to its default, which is one pod. Pure.
 * @param owned - what the platform has applied of it
 */
function keepingReplicas(desired: KubeObject, owned: KubeObject | undefined): KubeObject {
  if (desired.kind !== "Deployment" || replicasOf(desired) !== undefined || owned === undefined)
    return desired;
  const applied = replicasOf(owned);
  return applied === undefined ? desired : withReplicas(desired, applied);
}

/** A desired object with the label of the run that made the existing one: it keeps its maker. Pure. */
export function labelledAs(desired: KubeObject, existing: KubeObject): KubeObject {
  const maker = existing.metadata.labels?.[labels.run];
  return maker === undefined ? desired : withMaker(desired, maker);
}

/** A desired object with the label of the run that makes it. Pure. */
export function withMaker(desired: KubeObject, run: string): KubeObject {
  const { metadata } = desired;
  return { ...desired, metadata: { ...metadata, labels: { ...metadata.labels, [labels.run]: run } } };
}

/**
 * Writes an object as it is wanted: by server-side apply, with the UID of the one that was seen as precondition, so that
 * another object of its name is never taken over. What is written whole ({@link isWrittenWhole}) and exists is replaced
 * instead, at the resourceVersion that was seen.
 */
export function write(
  cluster: Cluster,
  desired: KubeObject,
  existing: KubeObject | undefined,
): Promise<KubeObject> {
  if (existing === undefined) return apply(cluster, resourceOf(desired), desired);
  const { uid } = existing.metadata;
  if (!isWrittenWhole(desired)) {
    const kept = keepingReplicas(desired, ownedFields(existing, fieldManager));
    return apply(cluster, resourceOf(kept), {
      ...kept,
      metadata: { ...kept.metadata, ...(uid === undefined ? {} : { uid }) },
    });
  }
  return cluster.replace(resourceOf(desired), {
    ...existing,
    metadata: {
      ...existing.metadata,
      labels: { ...existing.metadata.labels, ...desired.metadata.labels },
      annotations: { ...existing.metadata.annotations, ...desired.metadata.annotations },
    },
    spec: desired.spec,
  });
}
