import type { StoredObject } from "./api.ts";
import { type ChangeFeed, type FeedChange, feedChange } from "./change-feed.ts";
import { type Form, rendered } from "./rendering.ts";
import { type ResourceInfo, readStored } from "./resources.ts";
import { isSelected, mayBeSelected, type Selection } from "./selection.ts";
import { ApiFailure, failures } from "./status.ts";
import type { Store } from "./store.ts";

/** A watch, as the request asked for it. */
export interface WatchRequest {
  readonly resource: ResourceInfo;
  readonly selection: Selection;
  readonly form: Form;
  readonly query: URLSearchParams;
  readonly now: () => Date;
  /** Takes one event as a line of JSON. */
  readonly send: (line: string) => void;
  readonly end: () => void;
}

/** How often a watch that asked for bookmarks gets one; a real server takes a minute. */
const bookmarkMs = 10_000;

/** Serves one watch; returns what ends it. */
export function startWatch(store: Store, feed: ChangeFeed, request: WatchRequest): () => void {
  const { query } = request;
  feed.dispatch();
  const from = startOf(query);
  const bookmarks = query.get("allowWatchBookmarks") === "true" || query.get("allowWatchBookmarks") === "1";
  let position = feed.position;
  if (from !== undefined && from < store.compacted()) {
    request.send(
      eventText(
        "ERROR",
        JSON.stringify(
          failures.expired(`too old resource version: ${from} (${store.compacted()})`).toStatus(),
        ),
      ),
    );
    request.end();
    return () => {};
  }
  if (from === undefined || query.get("sendInitialEvents") === "true") {
    sendExisting(store, request);
    if (query.get("sendInitialEvents") === "true") request.send(bookmarkText(request, position, true));
  } else {
    for (const change of store.changesAfter(from, request.resource.id)) {
      if (change.rv <= position) sendChange(request, feedChange(change));
    }
    position = Math.max(position, from);
  }
  const unsubscribe = feed.subscribe((change) => {
    if (change.rv <= position) return;
    position = change.rv;
    if (change.resource === request.resource.id) sendChange(request, change);
  });
  const bookmark = () => request.send(bookmarkText(request, position, false));
  const ticking = bookmarks ? setInterval(bookmark, bookmarkMs) : undefined;
  const seconds = Number(query.get("timeoutSeconds") ?? 0) || 1800 + Math.floor(Math.random() * 1800);
  const stop = () => {
    unsubscribe();
    clearInterval(ticking);
    clearTimeout(timer);
  };
  const timer = setTimeout(() => {
    if (bookmarks) bookmark();
    stop();
    request.end();
  }, seconds * 1000);
  return stop;
}

/** The resourceVersion to go on from; undefined to begin with what exists. */
function startOf(query: URLSearchParams): number | undefined {
  const text = query.get("resourceVersion");
  if (text === null || text === "" || text === "0") return undefined;
  const version = Number(text);
  if (!Number.isInteger(version) || version < 0) {
    throw new ApiFailure(
      400,
      "BadRequest",
      `Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return version;
}

function sendExisting(store: Store, request: WatchRequest): void {
  const { resource, selection } = request;
  for (const row of store.rows(resource.id, { namespace: selection.namespace, part: "body" })) {
    if (!mayBeSelected(selection, row.key)) continue;
    const object = readStored(row.body, resource);
    if (isSelected(selection, object)) request.send(eventText("ADDED", objectText(request, object)));
  }
}

/** An object that enters or leaves the selection is added or deleted, as far as this watch can see. */
function sendChange(request: WatchRequest, change: FeedChange): void {
  const { selection } = request;
  if (!mayBeSelected(selection, change.key)) return;
  const { byKey } = selection;
  const before =
    change.type !== "ADDED" &&
    (byKey || (change.previous !== undefined && isSelected(selection, change.previous)));
  const after = change.type !== "DELETED" && (byKey || isSelected(selection, change.object));
  if (after) {
    request.send(eventText(before ? "MODIFIED" : "ADDED", objectText(request, change.object)));
  } else if (before) {
    const last =
      change.type === "DELETED"
        ? change.object
        : {
            ...change.previous,
            metadata: {
              ...change.previous?.metadata,
              resourceVersion: change.object.metadata.resourceVersion,
            },
          };
    request.send(eventText("DELETED", objectText(request, last)));
  }
}

function objectText(request: WatchRequest, object: StoredObject | Record<string, unknown>): string {
  const versioned =
    request.resource.custom === undefined ? object : { ...object, apiVersion: request.resource.apiVersion };
  return rendered(request.form, request.resource, versioned, request.query, request.now());
}

const eventText = (type: string, object: string) => `{"type":"${type}","object":${object}}\n`;

function bookmarkText({ resource, form }: WatchRequest, position: number, initial: boolean): string {
  const metadata = {
    resourceVersion: String(position),
    creationTimestamp: null,
    ...(initial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}),
  };
  const object =
    form === "metadata"
      ? { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata }
      : form === "table"
        ? {
            kind: "Table",
            apiVersion: "meta.k8s.io/v1",
            metadata: { resourceVersion: String(position) },
            columnDefinitions: [],
            rows: [],
          }
        : { kind: resource.kind, apiVersion: resource.apiVersion, metadata };
  return eventText("BOOKMARK", JSON.stringify(object));
}
