import { z } from "zod";
import { ClusterError } from "./errors.ts";
import { isRecord, type KubeList, type KubeObject, type KubeTable } from "./object.ts";
import { apiVersionOf, type Resource } from "./resource.ts";
import { cleanText } from "./text.ts";

/**
 * Whether `value` has what makes a Kubernetes object. Written by hand: lists of 10,000 pass here, and a schema
 * would copy each.
 */
export function isKubeObject(value: unknown): value is KubeObject {
  return (
    isRecord(value) &&
    typeof value.apiVersion === "string" &&
    typeof value.kind === "string" &&
    isRecord(value.metadata) &&
    typeof value.metadata.name === "string"
  );
}

function unexpected(what: string, request: string): ClusterError {
  return new ClusterError("server", `the answer to "${request}" is not ${what}`, { request });
}

/** One object of an answer. @throws ClusterError `server` where it is none. */
export function kubeObject(body: unknown, request: string): KubeObject {
  if (!isKubeObject(body)) throw unexpected("a Kubernetes object", request);
  return body;
}

const listMetaSchema = z.looseObject({
  resourceVersion: z.string().catch(""),
  continue: z.string().optional().catch(undefined),
  remainingItemCount: z.number().optional().catch(undefined),
});

function page(metadata: unknown): Pick<KubeList, "resourceVersion" | "continue" | "remainingItemCount"> {
  const meta = listMetaSchema.parse(metadata ?? {});
  return {
    resourceVersion: meta.resourceVersion,
    ...(meta.continue === undefined || meta.continue === "" ? {} : { continue: meta.continue }),
    ...(meta.remainingItemCount === undefined ? {} : { remainingItemCount: meta.remainingItemCount }),
  };
}

/** Gives an object its resource's kind: items of a list come without one, metadata-only ones with another. */
export function ofResource(item: unknown, resource: Resource): unknown {
  if (!isRecord(item)) return item;
  if (item.kind === resource.kind) return item;
  return { ...item, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

/** A page of a list. @throws ClusterError `server` where the answer is none. */
export function kubeList(body: unknown, resource: Resource, request: string): KubeList {
  if (!isRecord(body) || !(Array.isArray(body.items) || body.items === null)) {
    throw unexpected("a list", request);
  }
  const items: KubeObject[] = [];
  for (const raw of body.items ?? []) {
    const item = ofResource(raw, resource);
    if (!isKubeObject(item)) throw unexpected("a list of Kubernetes objects", request);
    items.push(item);
  }
  return { ...page(body.metadata), items };
}

const columnSchema = z.looseObject({
  name: z.string().catch(""),
  type: z.string().catch("string"),
  priority: z.number().catch(0),
});

/** A page of a table, its texts cleaned. @throws ClusterError `server` where the answer is none. */
export function kubeTable(body: unknown, resource: Resource, request: string): KubeTable {
  if (!isRecord(body) || body.kind !== "Table" || !Array.isArray(body.columnDefinitions)) {
    throw unexpected("a table", request);
  }
  const rows: KubeTable["rows"][number][] = [];
  for (const row of Array.isArray(body.rows) ? body.rows : []) {
    if (!isRecord(row) || !Array.isArray(row.cells)) throw unexpected("a table of cells", request);
    const object = ofResource(row.object, resource);
    if (!isKubeObject(object)) throw unexpected("a table of objects", request);
    rows.push({
      cells: row.cells.map((cell: unknown) => (typeof cell === "string" ? cleanText(cell) : cell)),
      metadata: object.metadata,
    });
  }
  const { resourceVersion, continue: token } = page(body.metadata);
  return {
    resourceVersion,
    ...(token === undefined ? {} : { continue: token }),
    columns: body.columnDefinitions.map((column: unknown) => {
      const { name, type, priority } = columnSchema.parse(column);
      return { name: cleanText(name), type, priority };
    }),
    rows,
  };
}
