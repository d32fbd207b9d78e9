import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { connect } from "../../../src/cluster/connect.ts";
import {
  type Changes,
  type Freshness,
  keyOf,
  Reflector,
  type ReflectorOptions,
} from "../../../src/cluster/reflector.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { fakeTiming, json, type Seen, scriptedServer, statusOf } from "./server.ts";

const item = (name: string, version: number) => ({
  metadata: { name, namespace: "n", resourceVersion: String(version) },
});
const list = (version: number, items: unknown[], token?: string) => ({
  kind: "ConfigMapList",
  apiVersion: "v1",
  metadata: { resourceVersion: String(version), ...(token === undefined ? {} : { continue: token }) },
  items,
});
const event = (type: string, name: string, version: number) =>
  `${JSON.stringify({ type, object: { apiVersion: "v1", kind: "ConfigMap", ...item(name, version) } })}\n`;

type Script = (request: Seen, response: ServerResponse, index: number) => void;

/** Runs a reflector against a server that plays `script`, one entry a request, until the script is at its end. */
function play(...script: Script[]) {
  return playWith({}, ...script);
}

async function playWith(options: Pick<ReflectorOptions<string>, "removalsAtOnce">, ...script: Script[]) {
  let index = 0;
  let atEnd: () => void = () => undefined;
  const end = new Promise<void>((resolve) => {
    atEnd = resolve;
  });
  await using server = await scriptedServer((request, response) => {
    const step = script[index];
    if (step === undefined) {
      // Open for ever, as a watch without news.
      response.writeHead(200);
      response.flushHeaders();
      atEnd();
    } else step(request, response, index++);
  });
  const timing = fakeTiming();
  const cluster = await connect(server.connection, { timing });
  const batches: { changed: string[]; removed: string[]; complete: boolean }[] = [];
  const freshness: Freshness[] = [];
  const reflector = new Reflector({
    cluster,
    resource: resources.configMaps,
    mode: "full",
    keep: (object) => `${keyOf(object)}@${object.metadata.resourceVersion}`,
    onChanges: ({ changed, removed, complete }: Changes<string>) =>
      batches.push({ changed: [...changed.values()], removed: [...removed], complete }),
    onFreshness: (fresh) => freshness.push(fresh),
    timing,
    ...options,
  });
  const abort = new AbortController();
  const running = reflector.run(abort.signal);
  await end;
  await expect.poll(() => reflector.freshness.state).toBe("live");
  abort.abort(new Error("the test is over"));
  await running;
  await cluster.close();
  const asked = server.seen.map(({ query }) =>
    query.get("watch") === "1"
      ? `watch ${query.get("resourceVersion")}`
      : `list ${query.get("limit")} ${query.get("continue") ?? ""}`.trim(),
  );
  return { asked, batches, freshness, objects: [...reflector.objects.values()], timing };
}

const watchOf =
  (...lines: string[]): Script =>
  (_, response) => {
    response.writeHead(200);
    response.end(lines.join(""));
  };

test("delivers the first page at once, then the rest, then changes, and resumes where a watch ended", async () => {
  const { asked, batches, objects } = await play(
    (_, response) => json(response, 200, list(10, [item("a", 1)], "more")),
    (_, response) => json(response, 200, list(10, [item("b", 2)])),
    watchOf(
      event("MODIFIED", "a", 11),
      event("DELETED", "b", 12),
      `${JSON.stringify({ type: "BOOKMARK", object: { metadata: { resourceVersion: "20" } } })}\n`,
    ),
    watchOf(event("ADDED", "c", 21)),
  );
  expect(asked).toEqual(["list 50", "list 500 more", "watch 10", "watch 20", "watch 21"]);
  expect(batches.slice(0, 2)).toEqual([
    { changed: ["n/a@1"], removed: [], complete: false },
    { changed: ["n/b@2"], removed: [], complete: true },
  ]);
  expect(batches.slice(2).flatMap(({ changed }) => changed)).toEqual(["n/a@11", "n/c@21"]);
  expect(batches.slice(2).flatMap(({ removed }) => removed)).toEqual(["n/b"]);
  expect(objects).toEqual(["n/a@11", "n/c@21"]);
});

test("lists again when its version is forgotten, and tells only what differs", async () => {
  const expired = `${JSON.stringify({ type: "ERROR", object: statusOf(410, "Expired", "too old") })}\n`;
  const { asked, batches, freshness } = await play(
    (_, response) => json(response, 200, list(10, [item("a", 1), item("b", 2)])),
    watchOf(expired),
    (_, response) => json(response, 200, list(30, [item("a", 1), item("c", 25)])),
  );
  expect(asked).toEqual(["list 50", "watch 10", "list 50", "watch 30"]);
  expect(batches[1]).toEqual({ changed: ["n/c@25"], removed: ["n/b"], complete: true });
  expect(freshness.map(({ state }) => state)).toEqual(["live"]);
});

test("says since when it is stale and why, waits longer each time, and comes back", async () => {
  const down: Script = (_, response) => void response.socket?.destroy();
  const refused: Script = (_, response) => json(response, 500, statusOf(500, "InternalError", "on fire"));
  const { asked, freshness, timing } = await play(
    (_, response) => json(response, 200, list(10, [item("a", 1)])),
    down,
    refused,
    refused,
  );
  expect(asked).toEqual(["list 50", "watch 10", "watch 10", "watch 10", "watch 10"]);
  expect(freshness.map(({ state }) => state)).toEqual(["stale", "stale", "stale", "live"]);
  const since = freshness.flatMap((fresh) => (fresh.state === "stale" ? [fresh.since.toISOString()] : []));
  expect(new Set(since).size).toBe(1);
  expect(freshness[2]?.lastError?.message).toBe("on fire");
  expect(timing.slept).toEqual([250, 500, 1000]);
});

test("begins again without pages when they take longer than the server keeps a version", async () => {
  const { asked, objects } = await play(
    (_, response) => json(response, 200, list(10, [item("a", 1)], "more")),
    (_, response) =>
      json(response, 410, statusOf(410, "Expired", "The provided continue parameter is too old")),
    (_, response) => json(response, 200, list(30, [item("b", 20)])),
  );
  expect(asked).toEqual(["list 50", "list 500 more", "list null", "watch 30"]);
  expect(objects).toEqual(["n/b@20"]);
});

test("does not ask in a tight loop when every watch is closed at once", async () => {
  const { timing } = await play(
    (_, response) => json(response, 200, list(10, [])),
    watchOf(),
    watchOf(),
    watchOf(),
  );
  expect(timing.slept).toEqual([250, 500, 1000]);
});

test("what our own writes have answered is not undone by what the server tells later of before, and is no news", async () => {
  const learned: string[] = [];
  await using server = await scriptedServer((request, response) => {
    if (request.query.get("watch") !== "1") return json(response, 200, list(10, [item("a", 1)]));
    response.writeHead(200);
    response.write(event("MODIFIED", "a", 11));
    response.write(event("DELETED", "b", 12));
    response.write(event("MODIFIED", "a", 20));
    response.write(event("ADDED", "b", 21));
    response.write(event("MODIFIED", "c", 22));
  });
  const cluster = await connect(server.connection, { timing: fakeTiming() });
  const told: string[] = [];
  const reflector = new Reflector({
    cluster,
    resource: resources.configMaps,
    mode: "full",
    keep: (object) => `${keyOf(object)}@${object.metadata.resourceVersion}`,
    onChanges: ({ changed, removed, complete }) => {
      told.push(...changed.values(), ...removed);
      if (!complete || learned.length > 0) return;
      for (const [name, version] of [
        ["a", 20],
        ["b", 21],
        ["a", 19],
      ] as const) {
        reflector.learn({ apiVersion: "v1", kind: "ConfigMap", ...item(name, version) });
      }
      learned.push(...reflector.objects.values());
    },
  });
  const abort = new AbortController();
  const running = reflector.run(abort.signal);
  await expect.poll(() => told).toEqual(["n/a@1", "n/c@22"]);
  expect(learned).toEqual(["n/a@20", "n/b@21"]);
  expect([...reflector.objects.values()]).toEqual(["n/a@20", "n/b@21", "n/c@22"]);
  abort.abort(new Error("the test is over"));
  await running;
  await cluster.close();
});

test("tells at once what is gone, where that is asked for, and gathers the rest", async () => {
  const script = [
    (_: Seen, response: ServerResponse) => json(response, 200, list(10, [item("a", 1), item("b", 2)])),
    watchOf(event("MODIFIED", "a", 11), event("DELETED", "b", 12), event("ADDED", "c", 13)),
  ] as const;
  const together = { changed: ["n/a@11", "n/c@13"], removed: ["n/b"], complete: true };
  expect((await playWith({ removalsAtOnce: false }, ...script)).batches.slice(1)).toEqual([together]);
  expect((await playWith({ removalsAtOnce: true }, ...script)).batches.slice(1)).toEqual([
    { changed: ["n/a@11"], removed: ["n/b"], complete: true },
    { changed: ["n/c@13"], removed: [], complete: true },
  ]);
});
