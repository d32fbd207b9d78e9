import { describe, expect, test } from "vitest";
import type { WatchOptions } from "../../src/cluster/cluster.ts";
import type { WatchEvent } from "../../src/cluster/object.ts";
import { type Resource, resources } from "../../src/cluster/resource.ts";
import { type Contract, configMap, failureOf } from "./contract.ts";

/** Watches: order, replay, selectors, bookmarks, forgotten versions. */
export function watches(contract: () => Contract): void {
  const { configMaps } = resources;

  /** Watches until `count` changes have come. */
  const collect = async (resource: Resource, options: WatchOptions, count: number) => {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(new Error(`fewer than ${count} events came`)), 20_000);
    const events: Exclude<WatchEvent, { type: "BOOKMARK" }>[] = [];
    try {
      for await (const event of contract().cluster.watch(resource, { ...options, signal: abort.signal })) {
        if (event.type !== "BOOKMARK") events.push(event);
        if (events.length === count) break;
      }
    } finally {
      clearTimeout(timer);
    }
    return events;
  };
  const story = (events: readonly Exclude<WatchEvent, { type: "BOOKMARK" }>[]) =>
    events.map(({ type, object }) => `${type} ${object.metadata.name}`);

  describe("watch", () => {
    test("tells every change after a version, in order, live and afterwards", async () => {
      const { cluster, namespace } = contract();
      const labels = { watched: "story" };
      const options = { namespace, labelSelector: "watched=story" };
      const { resourceVersion } = await cluster.list(configMaps, options);
      const live = collect(configMaps, { ...options, resourceVersion }, 4);
      const one = await cluster.create(configMaps, configMap(namespace, "w-one", { metadata: { labels } }));
      await cluster.create(configMaps, configMap(namespace, "w-two", { metadata: { labels } }));
      await cluster.replace(configMaps, { ...one, data: { a: "1" } });
      await cluster.delete(configMaps, { namespace, name: "w-one" });
      const expected = ["ADDED w-one", "ADDED w-two", "MODIFIED w-one", "DELETED w-one"];
      const seen = await live;
      expect(story(seen)).toEqual(expected);
      const versions = seen.map(({ object }) => Number(object.metadata.resourceVersion));
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
      expect(new Set(versions).size).toBe(4);
      expect(seen[3]?.object.data).toEqual({ a: "1" });
      const replayed = await collect(configMaps, { ...options, resourceVersion }, 4);
      expect(replayed).toEqual(seen);
      const rest = await collect(
        configMaps,
        { ...options, resourceVersion: seen[1]?.object.metadata.resourceVersion ?? "" },
        2,
      );
      expect(rest).toEqual(seen.slice(2));
    });

    test("tells of objects that enter and leave the selection", async () => {
      const { cluster, namespace } = contract();
      const ref = { namespace, name: "wandering" };
      const made = await cluster.create(configMaps, configMap(namespace, "wandering"));
      const resourceVersion = made.metadata.resourceVersion ?? "";
      const label = (value: string | null) =>
        cluster.patch(configMaps, ref, { type: "merge", body: { metadata: { labels: { inside: value } } } });
      await label("yes");
      await label("no");
      await label("yes");
      await cluster.delete(configMaps, ref);
      const events = await collect(
        configMaps,
        { namespace, resourceVersion, labelSelector: "inside=yes" },
        4,
      );
      expect(story(events)).toEqual([
        "ADDED wandering",
        "DELETED wandering",
        "ADDED wandering",
        "DELETED wandering",
      ]);
    });

    test("chooses one object by name", async () => {
      const { cluster, namespace } = contract();
      const { resourceVersion } = await cluster.list(configMaps, { namespace });
      await cluster.create(configMaps, configMap(namespace, "not-me"));
      await cluster.create(configMaps, configMap(namespace, "only-me"));
      const fieldSelector = "metadata.name=only-me";
      const events = await collect(configMaps, { namespace, resourceVersion, fieldSelector }, 1);
      expect(story(events)).toEqual(["ADDED only-me"]);
    });

    test("carries metadata only when asked", async () => {
      const { cluster, namespace } = contract();
      const { resourceVersion } = await cluster.list(configMaps, { namespace });
      await cluster.create(configMaps, configMap(namespace, "w-light", { data: { a: "1" } }));
      const fieldSelector = "metadata.name=w-light";
      const [event] = await collect(
        configMaps,
        { namespace, resourceVersion, fieldSelector, metadataOnly: true },
        1,
      );
      expect(event?.object).toMatchObject({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "w-light" },
      });
      expect(event?.object.data).toBeUndefined();
    });

    test("tells nothing of dry runs and of writes that change nothing", async () => {
      const { cluster, namespace } = contract();
      const labels = { watched: "quiet" };
      const made = await cluster.create(
        configMaps,
        configMap(namespace, "quiet", { metadata: { labels }, data: { a: "1" } }),
      );
      const ref = { namespace, name: "quiet" };
      const write = (a: string, dryRun: boolean) =>
        cluster.patch(configMaps, ref, { type: "merge", body: { data: { a } } }, { dryRun });
      await write("2", true);
      await write("1", false);
      await write("3", false);
      const [event] = await collect(
        configMaps,
        {
          namespace,
          labelSelector: "watched=quiet",
          resourceVersion: made.metadata.resourceVersion ?? "",
        },
        1,
      );
      expect(event?.object.data).toEqual({ a: "3" });
    });

    test("starts with what there is when no version is given", async () => {
      const { cluster, lines, namespace } = contract();
      const labels = { watched: "initial" };
      await cluster.create(configMaps, configMap(namespace, "w-initial", { metadata: { labels } }));
      const events = await lines({
        path: `/api/v1/namespaces/${namespace}/configmaps`,
        query: { watch: "1", labelSelector: "watched=initial", timeoutSeconds: "1" },
      });
      expect(events.map((line) => JSON.parse(line).type)).toEqual(["ADDED"]);
    });

    test("ends in time, with a bookmark just before", async () => {
      const { cluster, lines, namespace } = contract();
      const { resourceVersion } = await cluster.list(configMaps, { namespace });
      await cluster.create(configMaps, configMap("default", `elsewhere-${namespace}`));
      await cluster.delete(configMaps, { namespace: "default", name: `elsewhere-${namespace}` });
      const events = await lines({
        path: `/api/v1/namespaces/${namespace}/configmaps`,
        query: {
          watch: "1",
          resourceVersion,
          allowWatchBookmarks: "true",
          timeoutSeconds: "4",
          labelSelector: "watched=never",
        },
      });
      const last = JSON.parse(events.at(-1) ?? "{}");
      expect(last).toMatchObject({ type: "BOOKMARK", object: { kind: "ConfigMap", apiVersion: "v1" } });
      expect(Number(last.object.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(resourceVersion));
    });

    test("says that a version is forgotten", async () => {
      const { cluster, namespace } = contract();
      const watch = async () => {
        for await (const _ of cluster.watch(configMaps, { namespace, resourceVersion: "1" }))
          return "an event";
        return "an end";
      };
      const error = await failureOf(watch(), "expired");
      expect(error.status).toBe(410);
      expect(error.message).toContain("too old resource version: 1");
    });

    test("stops when asked", async () => {
      const { cluster, namespace } = contract();
      const { resourceVersion } = await cluster.list(configMaps, { namespace });
      const abort = new AbortController();
      const reason = new Error("enough");
      const watch = async () => {
        const options = {
          namespace,
          resourceVersion,
          signal: abort.signal,
          onOpen: () => abort.abort(reason),
        };
        for await (const _ of cluster.watch(configMaps, options));
      };
      await expect(watch()).rejects.toBe(reason);
    });
  });
}
