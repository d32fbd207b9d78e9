import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Connection } from "../../../src/cluster/connect.ts";
import type { Timing } from "../../../src/cluster/timing.ts";

/** One request as a scripted server saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export type Answer = (request: Seen, response: ServerResponse) => void | Promise<void>;

/** An HTTP server that answers as the test says; what it was asked stands in `seen`. */
export async function scriptedServer(answer: Answer) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const url = new URL(request.url ?? "/", "http://server");
    const one: Seen = {
      method: request.method ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
    };
    seen.push(one);
    await answer(one, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const connection: Extract<Connection, { readonly kind: "endpoint" }> = {
    kind: "endpoint",
    url: `http://127.0.0.1:${address.port}`,
    token: "the-token",
    context: "scripted",
    simulated: false,
  };
  return {
    connection,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function json(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

export function statusOf(code: number, reason: string, message: string) {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message };
}

/** Time that passes when somebody sleeps; `slept` tells for how long, in milliseconds. */
export function fakeTiming(): Timing & { readonly slept: number[] } {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const slept: number[] = [];
  return {
    slept,
    now: () => new Date(now),
    random: () => 0,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      slept.push(ms);
      now += ms;
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    },
  };
}
