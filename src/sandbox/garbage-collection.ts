import type { StoredObject } from "./api.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { foregroundDeletion, orphanDependents } from "./deletion.ts";
import { type Running, whileLeading } from "./leading.ts";
import type { Registry, WriteContext } from "./registry.ts";
import type { ResourceInfo } from "./resources.ts";
import { ApiFailure } from "./status.ts";
import type { Dependent } from "./store.ts";

const context: WriteContext = {
  manager: "kube-controller-manager",
  dryRun: false,
  fieldValidation: "Ignore",
  warn: () => {},
};

/**
 * Deletes what has lost its owners, and carries out foreground and orphaning deletions. Works on keys, one after the
 * other, each looked at as it is by then.
 */
export function startGarbageCollector(registry: Registry, feed: ChangeFeed, leads: () => boolean): Running {
  const waiting = new Map<string, Dependent>();
  let scheduled: NodeJS.Immediate | undefined;
  const wake = (item: Dependent) => {
    waiting.set(`${item.resource} ${item.key}`, item);
    scheduled ??= setImmediate(work);
  };
  const work = () => {
    scheduled = undefined;
    const items = [...waiting.values()];
    waiting.clear();
    for (const item of items) collect(registry, item, wake);
  };
  const running = whileLeading(feed, leads, {
    catchUp() {
      for (const item of registry.store.allDependents()) wake(item);
      for (const resource of registry.resources.all()) {
        for (const { key, meta } of registry.store.rows(resource.id, { part: "meta" })) {
          if (meta.includes('"deletionTimestamp"')) wake({ resource: resource.id, key });
        }
      }
    },
    onChange(change) {
      const { metadata } = change.object;
      if (change.type === "DELETED") {
        for (const dependent of registry.store.dependents(metadata.uid)) wake(dependent);
        for (const { uid } of metadata.ownerReferences ?? []) {
          const owner = registry.store.findUid(uid);
          if (owner !== undefined) wake(owner);
        }
        return;
      }
      if (metadata.ownerReferences !== undefined || metadata.deletionTimestamp !== undefined) {
        wake({ resource: change.resource, key: change.key });
      }
    },
  });
  return {
    stop() {
      running.stop();
      if (scheduled !== undefined) clearImmediate(scheduled);
    },
  };
}

function collect(registry: Registry, item: Dependent, wake: (item: Dependent) => void): void {
  try {
    registry.transaction(() => {
      const found = read(registry, item);
      if (found === undefined) return;
      const finalizers = found.object.metadata.finalizers ?? [];
      if (found.object.metadata.deletionTimestamp !== undefined) {
        if (finalizers.includes(orphanDependents)) orphan(registry, found);
        else if (finalizers.includes(foregroundDeletion)) deleteDependents(registry, found, wake);
        return;
      }
      collectDependent(registry, found);
    });
  } catch (error) {
    // Somebody else was quicker: their change wakes us again.
    if (!(error instanceof ApiFailure)) throw error;
  }
}

interface Found {
  readonly resource: ResourceInfo;
  readonly object: StoredObject;
}

function read(registry: Registry, { resource: id, key }: Dependent): Found | undefined {
  const resource = registry.resources.byId(id);
  if (resource === undefined) return undefined;
  const slash = key.indexOf("/");
  const namespace = resource.namespaced ? key.slice(0, slash) : undefined;
  const name = resource.namespaced ? key.slice(slash + 1) : key;
  const object = registry.get(resource, namespace, name);
  return object === undefined ? undefined : { resource, object };
}

/** Whether an owner exists and is not about to take its dependents with it. */
type OwnerState = "solid" | "gone" | "waiting";

function ownerState(registry: Registry, uid: string): OwnerState {
  const place = registry.store.findUid(uid);
  const owner = place === undefined ? undefined : read(registry, place);
  if (owner === undefined) return "gone";
  const { deletionTimestamp, finalizers = [] } = owner.object.metadata;
  return deletionTimestamp !== undefined && finalizers.includes(foregroundDeletion) ? "waiting" : "solid";
}

function collectDependent(registry: Registry, { resource, object }: Found): void {
  const references = object.metadata.ownerReferences ?? [];
  if (references.length === 0) return;
  const states = references.map(({ uid }) => ownerState(registry, uid));
  const { namespace, name, uid } = object.metadata;
  if (!states.includes("solid")) {
    const hasDependents = registry.store.dependents(uid).length > 0;
    const propagation = states.includes("waiting") && hasDependents ? "Foreground" : "Background";
    const finalizers = object.metadata.finalizers ?? [];
    const kept = finalizers.includes(orphanDependents) ? "Orphan" : propagation;
    registry.delete(resource, namespace, name, { uid, propagation: kept }, context);
  } else if (states.some((state) => state !== "solid")) {
    const left = references.filter((_, index) => states[index] === "solid");
    registry.update(
      resource,
      namespace,
      name,
      { ...object, metadata: { ...object.metadata, ownerReferences: left } },
      context,
    );
  }
}

function orphan(registry: Registry, owner: Found): void {
  for (const item of registry.store.dependents(owner.object.metadata.uid)) {
    const dependent = read(registry, item);
    if (dependent === undefined) continue;
    const { metadata } = dependent.object;
    const left = (metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.object.metadata.uid);
    registry.update(
      dependent.resource,
      metadata.namespace,
      metadata.name,
      { ...dependent.object, metadata: { ...metadata, ownerReferences: left } },
      context,
    );
  }
  removeFinalizer(registry, owner, orphanDependents);
}

/** Dependents that block their owner must be gone before it goes. */
function deleteDependents(registry: Registry, owner: Found, wake: (item: Dependent) => void): void {
  const uid = owner.object.metadata.uid;
  const blocking = registry.store.dependents(uid).filter((item) => {
    const dependent = read(registry, item);
    if (dependent === undefined) return false;
    if (dependent.object.metadata.deletionTimestamp === undefined) wake(item);
    return dependent.object.metadata.ownerReferences?.some(
      (reference) => reference.uid === uid && reference.blockOwnerDeletion === true,
    );
  });
  if (blocking.length === 0) removeFinalizer(registry, owner, foregroundDeletion);
}

function removeFinalizer(registry: Registry, { resource, object }: Found, finalizer: string): void {
  const { metadata } = object;
  const finalizers = (metadata.finalizers ?? []).filter((name) => name !== finalizer);
  registry.update(
    resource,
    metadata.namespace,
    metadata.name,
    { ...object, metadata: { ...metadata, finalizers } },
    context,
  );
}
