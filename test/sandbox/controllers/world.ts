import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Api, StoredObject } from "../../../src/sandbox/api.ts";
import { ChangeFeed } from "../../../src/sandbox/change-feed.ts";
import { startControllers } from "../../../src/sandbox/controllers/index.ts";
import { type Pod, readPod } from "../../../src/sandbox/controllers/shapes.ts";
import { startGarbageCollector } from "../../../src/sandbox/garbage-collection.ts";
import { numberAt, objectAt, textAt } from "../../../src/sandbox/json.ts";
import { localApi } from "../../../src/sandbox/local-api.ts";
import { Registry } from "../../../src/sandbox/registry.ts";
import { Resources } from "../../../src/sandbox/resources.ts";
import { seed } from "../../../src/sandbox/seed.ts";
import { Store } from "../../../src/sandbox/store.ts";
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
  advance(ms: number): Promise<void>;
  /** Moves time in steps until the condition holds; fails after `seconds`. Returns the seconds it took. */
  until(condition: () => boolean, seconds?: number): Promise<number>;
  /** Ends it; fails the test when a controller met an error that nobody expected. */
  stop(): void;
}

export const namespace = "app-demo";

/**
 * The sandbox's own registry and store, without its HTTP face, on a clock that the test moves: minutes pass in
 * milliseconds.
 */
export function world(): World {
  const folder = mkdtempSync(join(tmpdir(), "platform-world-"));
  const clock = virtualClock();
  const store = new Store(folder);
  const resources = new Resources();
  const feed = new ChangeFeed(store, resources);
  const registry = new Registry({ store, resources, now: () => clock.now(), committed: () => feed.poke() });
  const api = localApi(registry, feed, () => true);
  seed(api);
  feed.dispatch();
  const errors: string[] = [];
  const onError = (controller: string, key: string, error: unknown) =>
    errors.push(`${controller} ${key}: ${String(error)}`);
  const parts = [
    startControllers(api, { speed: 1, clock, random: seededRandom(), onError }),
    startGarbageCollector(registry, feed, () => true),
  ];

  /** Until nothing changes any more at this moment. */
  async function settle(): Promise<void> {
    for (let revision = -1; revision !== store.revision() || clock.untilNext() === 0; ) {
      revision = store.revision();
      feed.dispatch();
      clock.advance(0);
      // The garbage collector works between turns.
      await new Promise(setImmediate);
    }
  }

  /** To the next moment at which something is due, at most `ms` away. */
  async function step(ms: number): Promise<void> {
    clock.advance(Math.max(1, Math.min(ms, clock.untilNext() ?? ms)));
    await settle();
  }

  api.create("/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  if (api.get("/serviceaccounts", namespace, "default") === undefined) {
    api.create("/serviceaccounts", {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "default", namespace },
    });
  }
  return {
    api,
    clock,
    async advance(ms) {
      await settle();
      for (const end = clock.now().getTime() + ms; clock.now().getTime() < end; ) {
        await step(end - clock.now().getTime());
      }
    },
    create(resource, object) {
      const metadata = { namespace, ...objectAt(object, "metadata") };
      return api.create(resource, { ...object, metadata });
    },
    see(resource, name) {
      const found = api.get(resource, namespace, name);
      if (found === undefined) throw new Error(`there is no ${resource} ${name}`);
      return found;
    },
    pods: () => api.list("/pods", { namespace }).map(readPod),
    events: (name) =>
      api
        .list("/events", { namespace })
        .filter((event) => textAt(event, "involvedObject", "name") === name)
        .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
        .map((event) => {
          const times = numberAt(event, "count") ?? 1;
          const text = `${textAt(event, "reason") ?? ""}: ${textAt(event, "message") ?? ""}`;
          return times > 1 ? `${text} ×${times}` : text;
        }),
    async until(condition, seconds = 60) {
      const before = clock.now().getTime();
      for (await settle(); !condition(); await step(1000)) {
        if (clock.now().getTime() - before > seconds * 1000) {
          throw new Error(`not so after ${seconds} s; errors: ${errors.join("; ") || "none"}`);
        }
      }
      return (clock.now().getTime() - before) / 1000;
    },
    stop() {
      expect(errors, "reconciliations that failed").toEqual([]);
      for (const part of parts) part.stop();
      feed.close();
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function seededRandom(): () => number {
  let state = 7;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32;
  };
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
