import type { Readable } from "node:stream";
import { ClusterError } from "./errors.ts";
import { failure } from "./failure.ts";
import { isKubeObject, ofResource } from "./json.ts";
import type { WatchEvent } from "./object.ts";
import type { Resource } from "./resource.ts";

/**
 * Lines of a stream, however its chunks fall, a character cut in two included. The last needs no line break.
 * @param longest - characters after which a line that does not end is handed out in pieces
 */
export async function* lines(
  stream: Readable,
  longest = Number.POSITIVE_INFINITY,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      yield rest + text.slice(start, end);
      rest = "";
      start = end + 1;
    }
    rest += text.slice(start);
    if (rest.length > longest) {
      yield rest;
      rest = "";
    }
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}

/**
 * One line of a watch; undefined for one that says nothing.
 * @throws ClusterError for the server's own error event: `expired` when the version asked for is gone
 */
export function watchEvent(
  line: string,
  resource: Resource,
  request: string,
  context: string,
): WatchEvent | undefined {
  if (line.trim() === "") return undefined;
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (error) {
    throw new ClusterError("unreachable", "the watch was cut in the middle of an event", {
      request,
      cause: error,
    });
  }
  if (typeof event !== "object" || event === null || !("type" in event) || !("object" in event)) {
    throw new ClusterError("server", `the answer to "${request}" is not a watch`, { request });
  }
  const object = ofResource(event.object, resource);
  switch (event.type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
      if (!isKubeObject(object)) break;
      return { type: event.type, object };
    case "BOOKMARK": {
      const version = bookmarkVersion(event.object);
      return version === undefined ? undefined : { type: "BOOKMARK", resourceVersion: version };
    }
    case "ERROR":
      throw failure({ status: 0, body: event.object }, request, context);
  }
  throw new ClusterError("server", `a watch event of "${request}" is not understood`, { request });
}

/** A bookmark's object has no name, only a version. */
function bookmarkVersion(object: unknown): string | undefined {
  if (typeof object !== "object" || object === null || !("metadata" in object)) return undefined;
  const { metadata } = object;
  if (typeof metadata !== "object" || metadata === null || !("resourceVersion" in metadata)) return undefined;
  return typeof metadata.resourceVersion === "string" ? metadata.resourceVersion : undefined;
}
