import type { Api, ResourceKey, StoredObject } from "./api.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { copy } from "./json.ts";
import type { Registry, WriteContext } from "./registry.ts";
import { type ResourceInfo, readStored } from "./resources.ts";
import { failures } from "./status.ts";

const context: WriteContext = {
  manager: "kube-controller-manager",
  dryRun: false,
  fieldValidation: "Ignore",
  warn: () => {},
};

/** The registry as the simulated controllers see it. */
export function localApi(registry: Registry, feed: ChangeFeed, leads: () => boolean): Api {
  const info = (key: ResourceKey): ResourceInfo => {
    const found = registry.resources.byId(key);
    if (found === undefined) throw failures.noSuchPath();
    return found;
  };
  const place = (object: Record<string, unknown>): string | undefined => {
    const { metadata } = object;
    return typeof metadata === "object" && metadata !== null && "namespace" in metadata
      ? String(metadata.namespace)
      : undefined;
  };
  return {
    get(key, namespace, name) {
      const resource = registry.resources.byId(key);
      return resource === undefined ? undefined : registry.get(resource, namespace, name);
    },
    list(key, options = {}) {
      const resource = registry.resources.byId(key);
      if (resource === undefined) return [];
      const wanted = Object.entries(options.labels ?? {});
      const found: StoredObject[] = [];
      for (const row of registry.store.rows(resource.id, { namespace: options.namespace, part: "body" })) {
        const labels: Record<string, unknown> = wanted.length === 0 ? {} : JSON.parse(row.labels);
        if (wanted.every(([name, value]) => labels[name] === value))
          found.push(readStored(row.body, resource));
      }
      return found;
    },
    create: (key, object) => registry.create(info(key), place(object), object, context),
    update: (key, object) =>
      registry.update(info(key), object.metadata.namespace, object.metadata.name, object, context),
    updateStatus: (key, object) =>
      registry.update(info(key), object.metadata.namespace, object.metadata.name, object, context, "status"),
    delete(key, namespace, name, options = {}) {
      registry.delete(info(key), namespace, name, options, context);
    },
    onChange: (listener) =>
      feed.subscribe(({ type, resource, object }) => listener({ type, resource, object: copy(object) })),
    leads,
    transaction: (work) => registry.transaction(work),
  };
}
