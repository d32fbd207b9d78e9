import type { Readable } from "node:stream";

/** One request as it goes over the wire. */
export interface Outgoing {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
  /** Aborted: the request, and the body that is still read, fail with its reason. */
  readonly signal: AbortSignal;
  /** Milliseconds until the answer begins; 0: as long as it takes. */
  readonly headMs: number;
  /** Milliseconds the body may be silent; 0: for ever. */
  readonly idleMs: number;
}

/** The head of an answer; the body is read from it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

/** Kept-alive connections to one server. */
export interface Connections {
  send(request: Outgoing): Promise<Answer>;
  /** Lets what is under way end, and keeps no connection after it. */
  retire(): void;
  /** Cuts everything off. */
  destroy(): void;
}

/** Makes connections, at most so many; null: as many as there are requests. */
export type MakeConnections = (most: number | null) => Connections;

/** Where a server says nothing: below the API server's own idle limit, so that a kept connection is seldom found closed. */
export const keepAliveMs = 25_000;
/** Milliseconds a connection may take to be made. */
export const connectMs = 10_000;
