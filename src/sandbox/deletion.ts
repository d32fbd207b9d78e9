import type { StoredObject } from "./api.ts";
import { copy, ensureObject, listAt, numberAt, textAt } from "./json.ts";
import type { ResourceInfo } from "./resources.ts";

/** `DeleteOptions` of a request. */
export interface DeleteOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagation?: "Foreground" | "Background" | "Orphan";
  /** Seconds; for pods only. Left out: `spec.terminationGracePeriodSeconds`. */
  readonly grace?: number;
}

/** Held until the garbage collector has deleted the dependents. */
export const foregroundDeletion = "foregroundDeletion";
/** Held until the garbage collector has freed the dependents. */
export const orphanDependents = "orphan";

/** The object as it stays for now, marked for deletion; undefined when it goes at once. */
export function markedForDeletion(
  resource: ResourceInfo,
  before: StoredObject,
  options: DeleteOptions,
  now: Date,
): StoredObject | undefined {
  const finalizers = new Set(before.metadata.finalizers ?? []);
  if (options.propagation === "Foreground") finalizers.add(foregroundDeletion).delete(orphanDependents);
  if (options.propagation === "Orphan") finalizers.add(orphanDependents).delete(foregroundDeletion);
  if (options.propagation === "Background") {
    finalizers.delete(foregroundDeletion);
    finalizers.delete(orphanDependents);
  }
  const isNamespace = resource.id === "/namespaces" && listAt(before, "spec", "finalizers").length > 0;
  const grace = graceOf(resource, before, options);
  if (finalizers.size === 0 && grace === 0 && !isNamespace) return undefined;
  const object = copy(before);
  const { metadata } = object;
  if (finalizers.size > 0) metadata.finalizers = [...finalizers];
  else delete metadata.finalizers;
  const earlier = numberAt(metadata, "deletionGracePeriodSeconds") ?? Number.POSITIVE_INFINITY;
  if (metadata.deletionTimestamp === undefined || grace < earlier) {
    metadata.deletionTimestamp = new Date(now.getTime() + grace * 1000).toISOString().replace(/\.\d+Z$/, "Z");
    // A namespace has no grace period at all; other objects show the one they were given.
    if (!isNamespace) metadata.deletionGracePeriodSeconds = grace;
    if (metadata.generation !== undefined) metadata.generation += 1;
  }
  if (isNamespace) ensureObject(object, "status").phase = "Terminating";
  return object;
}

function graceOf(resource: ResourceInfo, before: StoredObject, options: DeleteOptions): number {
  if (resource.id !== "/pods") return 0;
  const phase = textAt(before, "status", "phase");
  const scheduled = textAt(before, "spec", "nodeName") !== undefined;
  if (!scheduled || phase === "Succeeded" || phase === "Failed") return 0;
  return options.grace ?? numberAt(before, "spec", "terminationGracePeriodSeconds") ?? 30;
}
