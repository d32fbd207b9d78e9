import type { Cluster, ObjectRef } from "../../../src/cluster/cluster.ts";
import { ClusterError } from "../../../src/cluster/errors.ts";
import { isKubeObject } from "../../../src/cluster/json.ts";
import type { KubeObject, WatchEvent } from "../../../src/cluster/object.ts";
import type { Resource } from "../../../src/cluster/resource.ts";

/** What a call is about to do; a test delays it, or lets it fail. */
export interface Call {
  readonly verb: "get" | "create" | "replace" | "patch" | "delete";
  readonly resource: Resource;
  readonly name: string;
}

export interface MemoryCluster extends Cluster {
  /** Every object, by resource, namespace and name. */
  readonly objects: ReadonlyMap<string, KubeObject>;
  /** Every write that was carried out, in order: `create configmaps x`. */
  readonly writes: readonly string[];
  /** Ends all watches, as a server that restarts does. */
  cutWatches(): void;
}

/**
 * As much of a cluster as runs are made of, in memory: resourceVersions that are compared and set, generations that
 * count changes of the spec, watches. `before` is awaited before each call is carried out, `after` before it is
 * answered.
 */
export function memoryCluster({
  before = async () => {},
  after = async () => {},
}: {
  readonly before?: (call: Call) => Promise<void>;
  readonly after?: (call: Call) => Promise<void>;
} = {}): MemoryCluster {
  const objects = new Map<string, KubeObject>();
  const writes: string[] = [];
  const watches = new Set<(event: WatchEvent | "cut") => void>();
  let version = 0;

  const keyOf = (resource: Resource, { namespace = "", name }: ObjectRef) =>
    `${resource.plural} ${namespace}/${name}`;
  function found(resource: Resource, ref: ObjectRef): KubeObject {
    const object = objects.get(keyOf(resource, ref));
    if (object === undefined)
      throw new ClusterError("not-found", `no ${resource.plural} ${ref.name}`, { status: 404 });
    return object;
  }
  function store(resource: Resource, object: KubeObject, verb: string, previous?: KubeObject): KubeObject {
    version += 1;
    const same = JSON.stringify(previous?.spec) === JSON.stringify(object.spec);
    const generation = (previous?.metadata.generation ?? 0) + (same ? 0 : 1);
    const stored: KubeObject = structuredClone({
      ...object,
      metadata: {
        ...object.metadata,
        uid: previous?.metadata.uid ?? `uid-${version}`,
        generation,
        creationTimestamp: previous?.metadata.creationTimestamp ?? "2026-01-01T00:00:00Z",
        resourceVersion: String(version),
      },
    });
    objects.set(keyOf(resource, object.metadata), stored);
    writes.push(`${verb} ${resource.plural} ${object.metadata.name}`);
    for (const tell of watches) tell({ type: previous === undefined ? "ADDED" : "MODIFIED", object: stored });
    return structuredClone(stored);
  }
  async function call<T>(called: Call, work: () => T): Promise<T> {
    await before(called);
    const result = work();
    await after(called);
    return result;
  }
  const unused = (): never => {
    throw new Error("no run asks this of its cluster here");
  };
  function patched(old: KubeObject, body: readonly unknown[]): KubeObject {
    const [test] = body;
    if (typeof test !== "object" || test === null || !("path" in test) || !("value" in test)) return unused();
    const spec: Record<string, unknown> = { ...Object(old.spec) };
    const field = String(test.path).replace("/spec/", "");
    if (spec[field] !== test.value) throw new ClusterError("invalid", "the test failed", { status: 422 });
    delete spec[field];
    return { ...old, spec };
  }

  return {
    objects,
    writes,
    cutWatches() {
      for (const tell of [...watches]) tell("cut");
    },
    context: "memory",
    simulated: true,
    get: (resource, ref) =>
      call({ verb: "get", resource, name: ref.name }, () => structuredClone(found(resource, ref))),
    create: (resource, object) =>
      call({ verb: "create", resource, name: object.metadata.name }, () => {
        if (objects.has(keyOf(resource, object.metadata)))
          throw new ClusterError("already-exists", "it exists", { status: 409 });
        return store(resource, object, "create");
      }),
    replace: (resource, object, options) =>
      call({ verb: "replace", resource, name: object.metadata.name }, () => {
        const old = found(resource, object.metadata);
        if (object.metadata.resourceVersion !== old.metadata.resourceVersion)
          throw new ClusterError("conflict", "it was changed", { status: 409 });
        const next =
          options?.subresource === "status"
            ? { ...old, status: object.status }
            : { ...object, status: old.status };
        return store(resource, next, "replace", old);
      }),
    patch: (resource, ref, patch) =>
      call({ verb: "patch", resource, name: ref.name }, () => {
        if (patch.type === "apply") {
          return store(resource, patch.body, "apply", objects.get(keyOf(resource, ref)));
        }
        const old = found(resource, ref);
        if (patch.type === "json") return store(resource, patched(old, patch.body), "patch", old);
        const { spec } = Object(patch.body);
        const merged = { ...old, spec: { ...Object(old.spec), ...spec } };
        return isKubeObject(merged) ? store(resource, merged, "patch", old) : unused();
      }),
    delete: (resource, ref) =>
      call({ verb: "delete", resource, name: ref.name }, () => {
        found(resource, ref);
        objects.delete(keyOf(resource, ref));
        writes.push(`delete ${resource.plural} ${ref.name}`);
      }),
    list: unused,
    async listMetadata(resource, options) {
      const items = [...objects]
        .filter(([key]) => key.startsWith(`${resource.plural} ${options?.namespace ?? ""}`))
        .map(([, object]) => structuredClone(object));
      return { items, resourceVersion: String(version) };
    },
    listTable: unused,
    async *watch(_resource, options) {
      const queue: (WatchEvent | "cut")[] = [];
      let wake = () => {};
      const tell = (event: WatchEvent | "cut") => {
        queue.push(structuredClone(event));
        wake();
      };
      const missed = [...objects.values()].filter(
        ({ metadata }) => Number(metadata.resourceVersion) > Number(options.resourceVersion),
      );
      for (const object of missed) tell({ type: "MODIFIED", object });
      watches.add(tell);
      options.onOpen?.();
      try {
        for (;;) {
          const event = queue.shift();
          if (event === "cut") throw new ClusterError("unreachable", "the connection was reset");
          if (event !== undefined) {
            yield event;
            continue;
          }
          if (options.signal?.aborted === true) throw options.signal.reason;
          await new Promise<void>((resolve) => {
            wake = resolve;
            options.signal?.addEventListener("abort", () => resolve(), { once: true });
          });
        }
      } finally {
        watches.delete(tell);
      }
    },
    logs: unused,
    can: unused,
    whoAmI: unused,
    serves: unused,
    serviceProxy: unused,
    discover: unused,
    version: unused,
    close: async () => {},
  };
}
