/** What an answer consists of. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export type Handler = (request: { readonly url: URL; readonly method: string }) => Promise<Answer> | Answer;

/** What the service answers, by method and path: start here. */
export function createRoutes(): ReadonlyMap<string, Handler> {
  return new Map<string, Handler>([
    // The platform asks this before it sends requests, and restarts the service when it stops answering.
    ["GET /healthz", () => ({ status: 200, body: { status: "ok" } })],
    ["GET /", () => ({ status: 200, body: { service: "example-service" } })],
  ]);
}
