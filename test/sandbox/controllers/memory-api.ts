import { randomUUID } from "node:crypto";
import type { Api, StoredObject } from "../../../src/sandbox/api.ts";
import type { ControllerClock } from "../../../src/sandbox/controllers/clock.ts";
import { ApiFailure } from "../../../src/sandbox/status.ts";

type Listener = Parameters<Api["onChange"]>[0];

/** What the controllers need of an API server, in memory: enough to test them without one. */
export function memoryApi(clock: ControllerClock): Api {
  const objects = new Map<string, StoredObject>();
  const listeners = new Set<Listener>();
  let revision = 1;
  const keyFor = (resource: string, namespace: string | undefined, name: string) =>
    `${resource}|${namespace ?? ""}|${name}`;
  const emit = (type: "ADDED" | "MODIFIED" | "DELETED", resource: string, object: StoredObject) => {
    for (const listener of listeners) listener({ type, resource, object: structuredClone(object) });
  };
  const content = ({ metadata, status: _status, ...rest }: StoredObject) => {
    const { resourceVersion: _rv, generation: _generation, ...meta } = metadata;
    return JSON.stringify([meta, rest]);
  };

  function collect(owner: string): void {
    for (const [key, object] of objects) {
      if (!(object.metadata.ownerReferences ?? []).some(({ uid }) => uid === owner)) continue;
      const resource = key.slice(0, key.indexOf("|"));
      api.delete(resource, object.metadata.namespace, object.metadata.name);
    }
  }

  function remove(resource: string, key: string, object: StoredObject): void {
    objects.delete(key);
    emit("DELETED", resource, object);
    collect(object.metadata.uid);
  }

  const api: Api = {
    get(resource, namespace, name) {
      const found = objects.get(keyFor(resource, namespace, name));
      return found === undefined ? undefined : structuredClone(found);
    },
    list(resource, options = {}) {
      const prefix = `${resource}|`;
      return [...objects]
        .filter(
          ([key, { metadata }]) =>
            key.startsWith(prefix) &&
            (options.namespace === undefined || metadata.namespace === options.namespace) &&
            Object.entries(options.labels ?? {}).every(
              ([label, value]) => metadata.labels?.[label] === value,
            ),
        )
        .map(([, object]) => structuredClone(object));
    },
    create(resource, input) {
      const given = input as unknown as StoredObject;
      const key = keyFor(resource, given.metadata.namespace, given.metadata.name);
      if (objects.has(key))
        throw new ApiFailure(409, "AlreadyExists", `${given.metadata.name} already exists`);
      const object: StoredObject = structuredClone({
        ...given,
        metadata: {
          ...given.metadata,
          uid: randomUUID(),
          resourceVersion: String(++revision),
          generation: 1,
          creationTimestamp: clock.now().toISOString(),
        },
      });
      objects.set(key, object);
      emit("ADDED", resource, object);
      return structuredClone(object);
    },
    update(resource, object) {
      const key = keyFor(resource, object.metadata.namespace, object.metadata.name);
      const known = objects.get(key);
      if (known === undefined) throw new ApiFailure(404, "NotFound", `${object.metadata.name} not found`);
      if (object.metadata.resourceVersion !== known.metadata.resourceVersion) {
        throw new ApiFailure(409, "Conflict", `${object.metadata.name} has been modified`);
      }
      if (content(object) === content(known)) return structuredClone(known);
      const changed = JSON.stringify(object.spec) !== JSON.stringify(known.spec);
      const next: StoredObject = structuredClone({
        ...object,
        metadata: {
          ...object.metadata,
          resourceVersion: String(++revision),
          generation: (known.metadata.generation ?? 1) + (changed ? 1 : 0),
        },
        status: known.status,
      });
      const { deletionTimestamp, finalizers = [] } = next.metadata;
      if (deletionTimestamp !== undefined && finalizers.length === 0) remove(resource, key, next);
      else {
        objects.set(key, next);
        emit("MODIFIED", resource, next);
      }
      return structuredClone(next);
    },
    updateStatus(resource, object) {
      const key = keyFor(resource, object.metadata.namespace, object.metadata.name);
      const known = objects.get(key);
      if (known === undefined) throw new ApiFailure(404, "NotFound", `${object.metadata.name} not found`);
      if (JSON.stringify(object.status) === JSON.stringify(known.status)) return structuredClone(known);
      const next: StoredObject = structuredClone({
        ...known,
        metadata: { ...known.metadata, resourceVersion: String(++revision) },
        status: object.status,
      });
      objects.set(key, next);
      emit("MODIFIED", resource, next);
      return structuredClone(next);
    },
    delete(resource, namespace, name, options = {}) {
      const key = keyFor(resource, namespace, name);
      const known = objects.get(key);
      if (known === undefined) throw new ApiFailure(404, "NotFound", `${name} not found`);
      const graceful = resource === "/pods" && options.grace !== 0;
      if (graceful || (known.metadata.finalizers ?? []).length > 0) {
        if (known.metadata.deletionTimestamp !== undefined) return;
        const next = structuredClone(known);
        next.metadata.deletionTimestamp = clock.now().toISOString();
        next.metadata.resourceVersion = String(++revision);
        objects.set(key, next);
        emit("MODIFIED", resource, next);
      } else remove(resource, key, known);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    leads: () => true,
    transaction: (work) => work(),
  };
  return api;
}
