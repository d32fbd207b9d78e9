import type { Readable } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import type { Answer, Connections, MakeConnections, Outgoing } from "./connections.ts";
import type { Endpoint } from "./endpoint.ts";
import { ClusterError } from "./errors.ts";
import { failure, retryAfter, unreachable } from "./failure.ts";
import { cleanText } from "./text.ts";
import type { Timing } from "./timing.ts";

/** One HTTP request to the API server. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path below the endpoint's URL; may carry a query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly accept?: string;
  readonly contentType?: string;
  /** JSON to send. */
  readonly body?: unknown;
  /** What is asked, for errors: `create deployments.apps app-demo/demo`. */
  readonly text: string;
  readonly signal?: AbortSignal | undefined;
  /** For all attempts together, waits for a busy server included; left out: 30 s for each. */
  readonly timeoutMs?: number | undefined;
  readonly step?: string | undefined;
  /**
   * Sending it twice does what sending it once does: repeated when the server says `Retry-After` or the connection
   * breaks. Any other request is repeated only on 429, which says that the server has not looked at it.
   */
  readonly idempotent: boolean;
}

/** An answer of 2xx, its body parsed (or the text, where it is no JSON). */
export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface TransportOptions {
  readonly timing: Timing;
  /** A `Warning` header of the server, cleaned, and the request it came for. */
  readonly onWarning?: ((warning: string, request: string) => void) | undefined;
  /** Every attempt at a request, with the status it was answered with; undefined where no answer came. */
  readonly onAnswer?: ((method: HttpRequest["method"], status: number | undefined) => void) | undefined;
}

/** A handshake costs more than a request: more connections make a run slower, and queue in the server only. */
const requestConnections = 8;
const defaultTimeoutMs = 30_000;
const longestRetryMs = 30_000;
/** An attempt with less time than this would be cut off while the server works on it. */
const shortestAttemptMs = 1_000;
const mostAttempts = 8;
const timedOut = Symbol("timed out");

/**
 * HTTP to one API server. Requests share a bounded pool of kept-alive connections; streams (watches, logs) have
 * connections of their own, so that many of them never keep a request waiting.
 */
export class Transport {
  readonly endpoint: Endpoint;
  readonly #makeConnections: MakeConnections;
  readonly #options: TransportOptions;
  readonly #closing = new AbortController();
  #requests: Connections | undefined;
  #streams: Connections | undefined;
  #certificate: string | undefined;

  constructor(endpoint: Endpoint, makeConnections: MakeConnections, options: TransportOptions) {
    this.endpoint = endpoint;
    this.#makeConnections = makeConnections;
    this.#options = options;
  }

  /** Sends and reads the whole answer. @throws ClusterError for anything but 2xx; the signal's reason on abort. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const { timing } = this.#options;
    const started = timing.now().getTime();
    const elapsed = () => timing.now().getTime() - started;
    const { timeoutMs } = request;
    for (let attempt = 1; ; attempt++) {
      try {
        const left = timeoutMs === undefined ? defaultTimeoutMs : Math.max(1, timeoutMs - elapsed());
        return await this.#sendAuthenticated({ ...request, timeoutMs: left });
      } catch (error) {
        if (!(error instanceof ClusterError) || attempt >= mostAttempts) throw error;
        const wait = this.#retryWait(request, error, attempt);
        if (wait === undefined) throw error;
        const latest = timeoutMs === undefined ? longestRetryMs : timeoutMs - shortestAttemptMs;
        if (elapsed() + wait > latest) throw error;
        await timing.sleep(wait, request.signal);
      }
    }
  }

  /** Sends and hands out the answer's body as it comes. Ends after `idleMs` without a byte. */
  async stream(request: HttpRequest, idleMs: number): Promise<Readable> {
    return this.#authenticated(request, async (headers) => {
      const answer = await this.#dispatch(this.#streamPool(), request, headers, {
        idleMs,
        signal: this.#signal(request.signal),
        headMs: request.timeoutMs ?? defaultTimeoutMs,
      });
      this.#warn(answer.headers.warning, request.text);
      if (answer.status >= 300) {
        const text = await textOf(answer.body).catch((error: unknown) => {
          throw this.broken(error, request);
        });
        throw this.#failed(answer.status, answer.headers["retry-after"], text, request);
      }
      return answer.body;
    });
  }

  /** The error for a stream that broke. */
  broken(error: unknown, request: HttpRequest): unknown {
    if (error instanceof ClusterError) return error;
    if (request.signal?.aborted === true) return request.signal.reason;
    return unreachable(error, this.#where(), request.text);
  }

  async close(): Promise<void> {
    this.#closing.abort(new ClusterError("unreachable", "the connection was closed by this program"));
    for (const connections of [this.#requests, this.#streams]) connections?.destroy();
  }

  #retryWait(request: HttpRequest, error: ClusterError, attempt: number): number | undefined {
    if (error.kind === "throttled") {
      if (error.status !== 429 && !request.idempotent) return undefined;
      // All who were turned away at once should not come back at once.
      return (error.retryAfterMs ?? 1000) + this.#options.timing.random() * 250;
    }
    // A kept-alive connection that the server closed just then is found out only by using it.
    const dropped = error.kind === "unreachable" && isDropped(error.cause);
    return dropped && request.idempotent && attempt === 1 ? 20 : undefined;
  }

  async #sendAuthenticated(request: HttpRequest): Promise<HttpAnswer> {
    return this.#authenticated(request, (headers) => this.#sendOnce(request, headers));
  }

  async #authenticated<T>(
    request: HttpRequest,
    send: (headers: Readonly<Record<string, string>>) => Promise<T>,
  ): Promise<T> {
    const { credentials } = this.endpoint;
    try {
      return await send(await credentials.headers(false));
    } catch (error) {
      const refused =
        error instanceof ClusterError && error.kind === "unauthenticated" && error.status === 401;
      if (!refused || !credentials.renewable) throw error;
      request.signal?.throwIfAborted();
      return send(await credentials.headers(true));
    }
  }

  async #sendOnce(request: HttpRequest, headers: Readonly<Record<string, string>>): Promise<HttpAnswer> {
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    request.signal?.throwIfAborted();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(timedOut), timeoutMs);
    const closing = this.#closing.signal;
    const abort = () =>
      limit.abort(request.signal?.aborted === true ? request.signal.reason : closing.reason);
    const ends = request.signal === undefined ? [closing] : [closing, request.signal];
    for (const end of ends) end.addEventListener("abort", abort, { once: true });
    try {
      const answer = await this.#dispatch(this.#requestPool(), request, headers, {
        signal: limit.signal,
        headMs: 0,
        idleMs: 0,
      });
      const text = await textOf(answer.body);
      this.#warn(answer.headers.warning, request.text);
      if (answer.status >= 300) {
        throw this.#failed(answer.status, answer.headers["retry-after"], text, request);
      }
      return { status: answer.status, body: parse(text) };
    } catch (error) {
      if (limit.signal.reason === timedOut) {
        throw new ClusterError(
          "unreachable",
          `${this.#where()} did not answer within ${timeoutMs / 1000} s`,
          {
            request: request.text,
          },
        );
      }
      throw this.broken(error, request);
    } finally {
      clearTimeout(timer);
      for (const end of ends) end.removeEventListener("abort", abort);
    }
  }

  async #dispatch(
    connections: Connections,
    request: HttpRequest,
    credentials: Readonly<Record<string, string>>,
    limits: Pick<Outgoing, "signal" | "headMs" | "idleMs">,
  ): Promise<Answer> {
    const { endpoint } = this;
    const { pathname } = new URL(endpoint.url);
    const query = request.query === undefined ? "" : new URLSearchParams(request.query).toString();
    const path = `${pathname.replace(/\/$/, "")}${request.path}`;
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const { onAnswer } = this.#options;
    try {
      const answer = await connections.send({
        method: request.method,
        path: query === "" ? path : `${path}${path.includes("?") ? "&" : "?"}${query}`,
        headers: {
          "user-agent": "platform",
          accept: request.accept ?? "application/json",
          ...(body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
          ...endpoint.headers,
          ...credentials,
          ...(endpoint.simulated && request.step !== undefined ? { "x-platform-step": request.step } : {}),
        },
        ...(body === undefined ? {} : { body }),
        ...limits,
      });
      onAnswer?.(request.method, answer.status);
      return answer;
    } catch (error) {
      onAnswer?.(request.method, undefined);
      if (limits.signal.reason === timedOut) throw error;
      throw this.broken(error, request);
    }
  }

  #failed(
    status: number,
    after: string | readonly string[] | undefined,
    text: string,
    request: HttpRequest,
  ): ClusterError {
    const answer = { status, body: parse(text), retryAfterMs: retryAfter(after) };
    return failure(answer, request.text, this.endpoint.context);
  }

  #warn(header: string | readonly string[] | undefined, request: string): void {
    if (header === undefined || this.#options.onWarning === undefined) return;
    const text = typeof header === "string" ? header : header.join(", ");
    for (const [, warning = ""] of text.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)) {
      this.#options.onWarning(cleanText(warning.replace(/\\(.)/g, "$1")), request);
    }
  }

  #signal(own: AbortSignal | undefined): AbortSignal {
    return own === undefined ? this.#closing.signal : AbortSignal.any([own, this.#closing.signal]);
  }

  #requestPool(): Connections {
    this.#dropPoolsOfOldCertificate();
    this.#requests ??= this.#makeConnections(requestConnections);
    return this.#requests;
  }

  #streamPool(): Connections {
    this.#dropPoolsOfOldCertificate();
    this.#streams ??= this.#makeConnections(null);
    return this.#streams;
  }

  /** Credentials may bring a new client certificate; connections made with the old one end when they are idle. */
  #dropPoolsOfOldCertificate(): void {
    const certificate = this.endpoint.credentials.clientCertificate?.()?.cert;
    if (certificate === this.#certificate) return;
    this.#certificate = certificate;
    for (const connections of [this.#requests, this.#streams]) connections?.retire();
    this.#requests = undefined;
    this.#streams = undefined;
  }

  #where(): string {
    const url = new URL(this.endpoint.url);
    return this.endpoint.simulated ? `the ${this.endpoint.context}` : `${url.protocol}//${url.host}`;
  }
}

function isDropped(error: unknown): boolean {
  if (typeof error !== "object" || error === null || !("code" in error)) return false;
  return error.code === "UND_ERR_SOCKET" || error.code === "ECONNRESET" || error.code === "EPIPE";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
