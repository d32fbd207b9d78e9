import { Buffer } from "node:buffer";
import { isObject } from "./json.ts";
import { type Form, partialText } from "./rendering.ts";
import { type ResourceInfo, readStored } from "./resources.ts";
import { isSelected, mayBeSelected, type Selection } from "./selection.ts";
import { ApiFailure, failures } from "./status.ts";
import type { Row, Store } from "./store.ts";
import { tableOf } from "./table/table.ts";

/** What a list request asks beside its selection. */
export interface ListRequest {
  readonly form: Form;
  readonly selection: Selection;
  readonly query: URLSearchParams;
  readonly now: Date;
}

/** Where a list goes on, and the resourceVersion whose state it shows; -1: whatever is there by then. */
interface Continue {
  readonly rv: number;
  readonly start: string;
}

/** The list as JSON text, put together from stored texts. */
export function listText(store: Store, resource: ResourceInfo, request: ListRequest): string {
  return store.snapshot(() => {
    const { query, selection, form } = request;
    const limit = limitOf(query);
    const token = continueOf(query.get("continue"));
    const revision = store.revision();
    if (token !== undefined && token.rv !== -1 && token.rv < store.compacted()) throw tooOld(token);
    checkVersion(
      query.get("resourceVersion"),
      query.get("resourceVersionMatch"),
      revision,
      store.compacted(),
    );
    const at = token === undefined || token.rv === -1 ? revision : token.rv;
    const after = token?.start ?? "";
    const part = form === "metadata" && selection.fields === undefined ? "meta" : "body";
    const rows = rowsAt(store, resource, { selection, after, part, at, revision });
    const chosen: Row[] = [];
    let more = false;
    for (const row of rows) {
      if (!matches(selection, row, resource)) continue;
      if (limit > 0 && chosen.length === limit) {
        more = true;
        break;
      }
      chosen.push(row);
    }
    const last = chosen.at(-1);
    const filtered = selection.labels !== undefined || selection.fields !== undefined;
    const metadata = {
      resourceVersion: String(at),
      ...(more && last !== undefined ? { continue: encodeContinue({ rv: at, start: last.key }) } : {}),
      ...(more && last !== undefined && !filtered && at === revision
        ? { remainingItemCount: store.count(resource.id, selection.namespace, last.key) }
        : {}),
    };
    return render(resource, chosen, metadata, request);
  });
}

function limitOf(query: URLSearchParams): number {
  const text = query.get("limit");
  const limit = text === null ? 0 : Number(text);
  if (!Number.isInteger(limit))
    throw failures.badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  return limit;
}

function continueOf(text: string | null): Continue | undefined {
  if (text === null || text === "") return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (isObject(parsed) && typeof parsed.rv === "number" && typeof parsed.start === "string") {
      return { rv: parsed.rv, start: parsed.start };
    }
  } catch {
    // Falls through: any text that is no token of ours.
  }
  throw failures.badRequest(
    "invalid continue token: continue key is not valid: illegal base64 data at input byte 0",
  );
}

const encodeContinue = (token: Continue): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", ...token })).toString("base64url");

/** The token in the answer lets the client go on, at the price of consistency. */
class ExpiredContinue extends ApiFailure {
  readonly token: string;
  constructor(token: string) {
    super(
      410,
      "Expired",
      "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    );
    this.token = token;
  }

  override toStatus() {
    return { ...super.toStatus(), metadata: { continue: this.token } };
  }
}

const tooOld = ({ start }: Continue) => new ExpiredContinue(encodeContinue({ rv: -1, start }));

function checkVersion(text: string | null, match: string | null, revision: number, compacted: number): void {
  if (text === null || text === "" || text === "0") return;
  const wanted = Number(text);
  if (!Number.isInteger(wanted) || wanted < 0) {
    throw failures.badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  if (wanted > revision) {
    throw new ApiFailure(
      504,
      "Timeout",
      `Timeout: Too large resource version: ${wanted}, current: ${revision}`,
      {
        causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
        retryAfterSeconds: 1,
      },
    );
  }
  if (match === "Exact" && wanted < compacted) {
    throw failures.expired(`The resourceVersion for the provided list is too old.`);
  }
}

/** Rows as they were at a resourceVersion, in key order. */
function* rowsAt(
  store: Store,
  resource: ResourceInfo,
  {
    selection,
    after,
    part,
    at,
    revision,
  }: {
    readonly selection: Selection;
    readonly after: string;
    readonly part: "meta" | "body";
    readonly at: number;
    readonly revision: number;
  },
): Generator<Row> {
  const current = store.rows(resource.id, { namespace: selection.namespace, after, part });
  if (at === revision) {
    yield* current;
    return;
  }
  const earlier = new Map<string, string | null>();
  for (const change of store.changesAfter(at, resource.id)) {
    if (!earlier.has(change.key)) earlier.set(change.key, change.previous);
  }
  const inRange = (key: string) =>
    key > after && (selection.namespace === undefined || key.startsWith(`${selection.namespace}/`));
  const restored = [...earlier]
    .filter(([key, body]) => body !== null && inRange(key))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  let next = 0;
  const takeUpTo = function* (key: string | undefined): Generator<Row> {
    for (; next < restored.length; next++) {
      const [found, body] = restored[next] ?? ["", null];
      if (key !== undefined && found > key) return;
      if (body !== null) yield rowOf(found, body);
    }
  };
  for (const row of current) {
    yield* takeUpTo(row.key);
    if (!earlier.has(row.key)) yield row;
  }
  yield* takeUpTo(undefined);
}

function rowOf(key: string, body: string): Row {
  const { metadata } = JSON.parse(body);
  return { key, labels: JSON.stringify(metadata.labels ?? {}), meta: JSON.stringify(metadata), body };
}

function matches(selection: Selection, row: Row, resource: ResourceInfo): boolean {
  if (!mayBeSelected(selection, row.key)) return false;
  if (selection.byKey) return true;
  if (selection.labels !== undefined && !selection.labels(JSON.parse(row.labels))) return false;
  if (selection.fields === undefined) return true;
  return isSelected({ ...selection, labels: undefined }, readStored(row.body, resource));
}

function render(
  resource: ResourceInfo,
  rows: readonly Row[],
  metadata: Readonly<Record<string, unknown>>,
  { form, query, now }: ListRequest,
): string {
  if (form === "table") {
    const parsed = rows.map((row) => {
      const object = readStored(row.body, resource);
      return { object, meta: row.meta === "" ? undefined : row.meta };
    });
    return tableOf(resource, parsed, {
      metadata,
      includeObject: query.get("includeObject") ?? "Metadata",
      now,
    });
  }
  const head = JSON.stringify(metadata);
  if (form === "metadata") {
    const items = rows.map((row) => partialText(row.meta === "" ? metaOf(row.body) : row.meta)).join(",");
    return `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":${head},"items":[${items}]}`;
  }
  const { apiVersion, listKind, kind } = resource;
  return `{"kind":"${listKind}","apiVersion":"${apiVersion}","metadata":${head},"items":[${rows
    .map((row) => itemText(resource, kind, row.body))
    .join(",")}]}`;
}

const metaOf = (body: string): string => JSON.stringify(JSON.parse(body).metadata);

/** Items of built-in lists carry no kind, those of custom resources do, as on a real server. */
function itemText(resource: ResourceInfo, kind: string, body: string): string {
  if (resource.custom === undefined) {
    const prefix = `{"apiVersion":"${resource.apiVersion}","kind":"${kind}",`;
    return body.startsWith(prefix) ? `{${body.slice(prefix.length)}` : body;
  }
  return resource.custom.storedAs === resource.apiVersion ? body : JSON.stringify(readStored(body, resource));
}
