import type { ServerResponse } from "node:http";
import { ApiFailure, failures } from "./status.ts";

/** Sends JSON text. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-cache, private",
  });
  response.end(text);
}

/** Sends a value as JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendText(response, status, `${JSON.stringify(value)}\n`);
}

/** Sends the Status of a failure; anything that is none is an internal error. */
export function sendFailure(response: ServerResponse, error: unknown): void {
  const failure =
    error instanceof ApiFailure
      ? error
      : failures.internal(error instanceof Error ? error.message : String(error));
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const seconds = failure.details?.retryAfterSeconds;
  if (seconds !== undefined) response.setHeader("Retry-After", String(seconds));
  sendJson(response, failure.code, failure.toStatus());
}

/** Adds a `Warning` header, as the API server writes it. */
export function addWarning(response: ServerResponse, text: string): void {
  const safe = text.replace(/[\u0000-\u001f\u007f-\uffff]/g, " ").replace(/["\\]/g, "\\$&");
  response.appendHeader("Warning", `299 - "${safe}"`);
}
