import { inspect } from "node:util";
import { expect, test } from "vitest";
import { apply, type Cluster, type RequestOptions } from "../../../src/cluster/cluster.ts";
import { type ConnectOptions, connect } from "../../../src/cluster/connect.ts";
import { ClusterError } from "../../../src/cluster/errors.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { type Answer, fakeTiming, json, scriptedServer, statusOf } from "./server.ts";

const { configMaps } = resources;
const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "n" } };
const ref = { namespace: "n", name: "a" };

async function open(answer: Answer, options: ConnectOptions = {}) {
  const server = await scriptedServer(answer);
  const timing = fakeTiming();
  const cluster = await connect(server.connection, { timing, ...options });
  return {
    ...server,
    timing,
    cluster,
    async [Symbol.asyncDispose]() {
      await cluster.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function firstOf<T>(values: AsyncIterable<T>): Promise<IteratorResult<T>> {
  return values[Symbol.asyncIterator]().next();
}

async function failing(promise: Promise<unknown>): Promise<ClusterError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ClusterError)) throw new Error(`no ClusterError but ${inspect(error)}`);
  return error;
}

test("waits as long as a busy server says, and asks again", async () => {
  let asked = 0;
  await using it = await open((_, response) => {
    if (++asked < 3) json(response, 429, statusOf(429, "TooManyRequests", "busy"), { "retry-after": "2" });
    else json(response, 201, map);
  });
  await it.cluster.create(configMaps, map);
  expect(it.seen).toHaveLength(3);
  expect(it.timing.slept).toEqual([2000, 2000]);
});

const everyVerb: readonly [string, (cluster: Cluster, options?: RequestOptions) => Promise<unknown>][] = [
  ["get", (cluster, options) => cluster.get(configMaps, ref, options)],
  ["list", (cluster, options) => cluster.list(configMaps, options)],
  ["create", (cluster, options) => cluster.create(configMaps, map, options)],
  ["replace", (cluster, options) => cluster.replace(configMaps, map, options)],
  ["merge", (cluster, options) => cluster.patch(configMaps, ref, { type: "merge", body: {} }, options)],
  ["apply", (cluster, options) => apply(cluster, configMaps, map, options)],
  ["delete", (cluster, options) => cluster.delete(configMaps, ref, options)],
];

test.each(everyVerb)(
  "%s: turned away by priority and fairness, it comes back when told, once",
  async (_, ask) => {
    let carriedOut = 0;
    let asked = 0;
    await using it = await open((_, response) => {
      asked += 1;
      if (asked === 1) {
        json(response, 429, statusOf(429, "TooManyRequests", "too many requests"), { "retry-after": "3" });
      } else {
        carriedOut += 1;
        json(response, 200, { ...map, items: [] });
      }
    });
    await ask(it.cluster);
    expect(it.timing.slept).toEqual([3000]);
    expect(carriedOut).toBe(1);
  },
);

test.each(everyVerb)("%s: waits no longer than the request has time for", async (_, ask) => {
  await using it = await open((_, response) =>
    json(response, 429, statusOf(429, "TooManyRequests", "too many requests"), { "retry-after": "3" }),
  );
  const error = await failing(ask(it.cluster, { timeoutMs: 8_000 }));
  // Twice it may wait; the third time there would be no time left to do anything.
  expect(it.timing.slept).toEqual([3000, 3000]);
  expect(it.seen).toHaveLength(3);
  expect(error).toMatchObject({ kind: "throttled", retryAfterMs: 3000 });
});

test("gives up on a server that stays busy, after half a minute", async () => {
  await using it = await open((_, response) =>
    json(response, 429, statusOf(429, "TooManyRequests", "busy"), { "retry-after": "9" }),
  );
  const error = await failing(it.cluster.get(configMaps, ref));
  expect(error).toMatchObject({ kind: "throttled", retryAfterMs: 9000 });
  expect(it.seen).toHaveLength(4);
});

test("repeats reads and applies on 503 with Retry-After, but no create", async () => {
  await using it = await open((_, response) =>
    json(response, 503, statusOf(503, "ServiceUnavailable", "later"), { "retry-after": "1" }),
  );
  await failing(it.cluster.create(configMaps, map));
  expect(it.seen).toHaveLength(1);
  await failing(it.cluster.get(configMaps, ref));
  expect(it.seen).toHaveLength(1 + 8);
  await failing(apply(it.cluster, configMaps, map));
  expect(it.seen).toHaveLength(1 + 8 + 8);
});

test("repeats a read on a connection that was dropped, once, and no write", async () => {
  await using it = await open((_, response) => void response.socket?.destroy());
  const error = await failing(it.cluster.get(configMaps, ref));
  expect(error).toMatchObject({ kind: "unreachable", status: 0, request: "get configmaps n/a" });
  expect(error.message).toMatch(/^cannot reach http:\/\/127\.0\.0\.1:\d+: /);
  expect(it.seen).toHaveLength(2);
  await failing(it.cluster.replace(configMaps, map));
  expect(it.seen).toHaveLength(3);
});

test("says that nothing listens", async () => {
  const server = await scriptedServer(() => undefined);
  await server[Symbol.asyncDispose]();
  const cluster = await connect(server.connection);
  const error = await failing(cluster.version());
  expect(error.message).toContain("connection refused: nothing listens there");
  await cluster.close();
});

test("does not wait for ever", async () => {
  await using it = await open(() => undefined);
  const error = await failing(it.cluster.get(configMaps, ref, { timeoutMs: 50 }));
  expect(error).toMatchObject({ kind: "unreachable" });
  expect(error.message).toMatch(/did not answer within 0\.05 s$/);
});

test("an abort rejects with its own reason, before and during a request", async () => {
  const reason = new Error("enough");
  await using it = await open(() => undefined);
  await expect(it.cluster.get(configMaps, ref, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const abort = new AbortController();
  const asking = it.cluster.get(configMaps, ref, { signal: abort.signal });
  await expect.poll(() => it.seen.length).toBe(1);
  abort.abort(reason);
  await expect(asking).rejects.toBe(reason);
});

test("closing ends what is asked, what waits for a connection, and what is read", async () => {
  await using it = await open((request, response) => {
    if (request.query.has("watch")) response.writeHead(200).flushHeaders();
  });
  const opened = Promise.withResolvers<void>();
  const watching = firstOf(it.cluster.watch(configMaps, { resourceVersion: "1", onOpen: opened.resolve }));
  const asking = Array.from({ length: 20 }, () => it.cluster.get(configMaps, ref));
  const errors = Promise.all([watching, ...asking].map(failing));
  await opened.promise;
  await expect.poll(() => it.seen.length).toBeGreaterThan(1);
  await it.cluster.close();
  for (const error of await errors) expect(error).toMatchObject({ kind: "unreachable" });
});

test("a watch that gets no answer fails in time", async () => {
  await using it = await open(() => undefined);
  const watching = it.cluster.watch(configMaps, { resourceVersion: "1", timeoutMs: 50 });
  expect((await failing(firstOf(watching))).message).toContain("no answer in time");
});

test("expired credentials say so, and no credential is in any error", async () => {
  await using it = await open((_, response) =>
    json(response, 401, statusOf(401, "Unauthorized", "Unauthorized")),
  );
  const error = await failing(it.cluster.get(configMaps, ref));
  expect(error.kind).toBe("unauthenticated");
  expect(error.message).toBe(
    "the credentials of context scripted are missing, wrong or expired (Unauthorized)",
  );
  expect(it.seen[0]?.headers.authorization).toBe("Bearer the-token");
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain("the-token");
});

test("the server's texts arrive without what could rewrite a terminal", async () => {
  const warnings: string[] = [];
  await using it = await open(
    (_, response) => {
      const headers = { warning: ['299 - "old \\"v1\\" thing"', '299 - "second"'] };
      json(response, 403, statusOf(403, "Forbidden", 'pods "\x1b[2Jx" is\nforbidden'), headers);
    },
    { onWarning: (warning, request) => warnings.push(`${request}: ${warning}`) },
  );
  const error = await failing(it.cluster.get(configMaps, ref));
  expect(error.message).toBe('pods "x" is\nforbidden');
  expect(warnings).toEqual(['get configmaps n/a: old "v1" thing', "get configmaps n/a: second"]);
});

test("a proxy's page is no Status, and is cut", async () => {
  await using it = await open((_, response) => {
    response.writeHead(502);
    response.end(`<html>${"x".repeat(5000)}</html>`);
  });
  const error = await failing(it.cluster.create(configMaps, map));
  expect(error).toMatchObject({ kind: "server", status: 502, reason: "" });
  expect(error.message.length).toBeLessThan(400);
});

test("an answer that is no object is an error, not a crash later", async () => {
  const bodies = ["null", "[]", '{"kind":"ConfigMap"}', "not json", '{"items":3}'];
  for (const body of bodies) {
    await using it = await open((_, response) => void response.end(body));
    expect(await failing(it.cluster.get(configMaps, ref))).toMatchObject({ kind: "server" });
    expect(await failing(it.cluster.list(configMaps))).toMatchObject({ kind: "server" });
    expect(await failing(it.cluster.listTable(configMaps))).toMatchObject({ kind: "server" });
  }
});

test("discovery of something that is no Kubernetes API is an error of the server, not a defect", async () => {
  await using it = await open((_, response) => json(response, 200, "hello"));
  expect(await failing(it.cluster.serves(configMaps))).toMatchObject({ kind: "server" });
  expect(await failing(it.cluster.discover())).toMatchObject({ kind: "server" });
});

test("names cannot change which path is meant", async () => {
  await using it = await open((_, response) => json(response, 200, map));
  for (const name of ["", ".", ".."]) {
    expect(await failing(it.cluster.get(configMaps, { namespace: "n", name }))).toMatchObject({
      kind: "invalid",
    });
  }
  expect(it.seen).toHaveLength(0);
  await it.cluster.get(configMaps, { namespace: "n", name: "a/../../b?x=1#y" });
  expect(it.seen[0]?.path).toBe("/api/v1/namespaces/n/configmaps/a%2F..%2F..%2Fb%3Fx%3D1%23y");
  await failing(it.cluster.get(configMaps, { name: "no-namespace" }));
  expect(it.seen).toHaveLength(1);
});

test("only a sandbox hears of steps", async () => {
  const server = await scriptedServer((_, response) => json(response, 200, map));
  for (const simulated of [false, true]) {
    const cluster = await connect({ ...server.connection, simulated });
    await cluster.get(configMaps, ref, { step: "create_namespace" });
    await cluster.close();
  }
  expect(server.seen.map(({ headers }) => headers["x-platform-step"])).toEqual([
    undefined,
    "create_namespace",
  ]);
  await server[Symbol.asyncDispose]();
});

test("writes go under our name, strictly", async () => {
  await using it = await open((_, response) => json(response, 200, map));
  await it.cluster.create(configMaps, map, { dryRun: true });
  await apply(it.cluster, configMaps, map);
  await it.cluster.delete(configMaps, ref, { uid: "u", propagation: "Foreground" });
  const [create, applied, deleted] = it.seen;
  expect(create?.query.toString()).toBe("fieldManager=platform&fieldValidation=Strict&dryRun=All");
  expect(applied?.query.toString()).toBe("fieldManager=platform&fieldValidation=Strict&force=true");
  expect(applied?.headers["content-type"]).toBe("application/apply-patch+yaml");
  expect(JSON.parse(deleted?.body ?? "")).toMatchObject({
    propagationPolicy: "Foreground",
    preconditions: { uid: "u" },
  });
});

test("a watch survives characters and lines cut anywhere", async () => {
  const object = { ...map, metadata: { ...map.metadata, resourceVersion: "7" }, data: { a: "Grüße 🚀" } };
  const bytes = Buffer.from(
    `${JSON.stringify({ type: "ADDED", object })}\n\n${JSON.stringify({ type: "BOOKMARK", object: { metadata: { resourceVersion: "9" } } })}\n`,
  );
  await using it = await open(async (_, response) => {
    response.writeHead(200);
    for (let index = 0; index < bytes.length; index += 3) {
      response.write(bytes.subarray(index, index + 3));
      if (index % 30 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
  const events = [];
  for await (const event of it.cluster.watch(configMaps, { resourceVersion: "1" })) events.push(event);
  expect(events).toEqual([
    { type: "ADDED", object },
    { type: "BOOKMARK", resourceVersion: "9" },
  ]);
});

test("logs come line by line, cleaned, and closing the reader closes the connection", async () => {
  let closed = false;
  await using it = await open((_, response) => {
    response.writeHead(200);
    response.write("one\x1b[31m\ntw");
    response.write("o\nthree");
    response.once("close", () => {
      closed = true;
    });
  });
  const seen: string[] = [];
  for await (const line of it.cluster.logs(ref, { follow: true, tailLines: 5 })) {
    seen.push(line);
    if (seen.length === 2) break;
  }
  expect(seen).toEqual(["one", "two"]);
  expect(it.seen[0]?.query.toString()).toBe("follow=true&tailLines=5");
  await expect.poll(() => closed).toBe(true);
});
