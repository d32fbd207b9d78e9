import type { Api, StoredObject } from "../../../src/sandbox/api.ts";
import { startControllers } from "../../../src/sandbox/controllers/index.ts";
import { type Pod, readPod } from "../../../src/sandbox/controllers/shapes.ts";
import { memoryApi } from "./memory-api.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

/** A little cluster with running controllers and a clock that the test moves. */
export interface World {
  readonly api: Api;
  readonly clock: VirtualClock;
  create(resource: string, object: Record<string, unknown>): StoredObject;
  /** The object's present state. @throws Error when it is gone. */
  see(resource: string, name: string): StoredObject;
  pods(): Pod[];
  /** `reason: message` of the Events about an object, oldest first, `×n` behind those counted up. */
  events(name: string): string[];
  /** Moves time in steps until the condition holds; fails after `seconds`. Returns the seconds it took. */
  until(condition: () => boolean, seconds?: number): number;
  stop(): void;
}

export const namespace = "app-demo";

export function world(): World {
  const clock = virtualClock();
  const api = memoryApi(clock);
  let seed = 7;
  const random = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed / 2 ** 32;
  };
  const errors: unknown[] = [];
  const onError = (_controller: string, _key: string, error: unknown) => errors.push(error);
  const controllers = startControllers(api, { speed: 1, clock, random, onError });
  for (const name of [namespace, "monitoring", "gateway"]) {
    api.create("/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  for (const name of ["node-1", "node-2", "node-3"]) {
    const node = api.create("/nodes", { apiVersion: "v1", kind: "Node", metadata: { name }, spec: {} });
    const conditions = [{ type: "Ready", status: "True" }];
    api.updateStatus("/nodes", {
      ...node,
      status: { allocatable: { cpu: "8", memory: "32Gi" }, conditions },
    });
  }
  api.create("storage.k8s.io/storageclasses", {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "rancher.io/local-path",
    reclaimPolicy: "Delete",
  });
  const self: World = {
    api,
    clock,
    create(resource, object) {
      const metadata = { namespace, ...(object.metadata as object) };
      return api.create(resource, { ...object, metadata });
    },
    see(resource, name) {
      const found = api.get(resource, namespace, name) ?? api.get(resource, undefined, name);
      if (found === undefined) throw new Error(`there is no ${resource} ${name}`);
      return found;
    },
    pods: () => api.list("/pods").map(readPod),
    events: (name) =>
      api
        .list("/events")
        .filter(({ involvedObject }) => (involvedObject as { name?: string }).name === name)
        .map(
          ({ reason, message, count }) =>
            `${reason}: ${message}${typeof count === "number" && count > 1 ? ` ×${count}` : ""}`,
        ),
    until(condition, seconds = 60) {
      const before = clock.now().getTime();
      while (!condition()) {
        if (clock.now().getTime() - before > seconds * 1000) {
          throw new Error(`not so after ${seconds} s; errors: ${errors.map(String).join("; ") || "none"}`);
        }
        clock.advance(50);
      }
      return (clock.now().getTime() - before) / 1000;
    },
    stop: () => controllers.stop(),
  };
  self.create("/serviceaccounts", {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default" },
  });
  return self;
}

/** A Deployment of one container. */
export function deployment(options: {
  readonly name?: string;
  readonly image?: string;
  readonly replicas?: number;
  readonly container?: Record<string, unknown>;
  readonly spec?: Record<string, unknown>;
}): Record<string, unknown> {
  const { name = "web", image = "registry.example.internal/web:1", replicas = 3, container, spec } = options;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      ...spec,
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [{ name: "web", image, ports: [{ name: "http", containerPort: 8080 }], ...container }],
        },
      },
    },
  };
}
