import type { StoredObject } from "../api.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { ResourceInfo } from "../resources.ts";
import type { Column } from "./column.ts";
import { columnsOf } from "./columns.ts";

/** An object and, if it is at hand, the stored text of its metadata. */
export interface TableRow {
  readonly object: StoredObject | JsonObject;
  readonly meta?: string | undefined;
}

/** `meta.k8s.io/v1` Table of some objects, as JSON text. */
export function tableOf(
  resource: ResourceInfo,
  rows: readonly TableRow[],
  {
    metadata,
    includeObject,
    now,
  }: {
    readonly metadata: JsonObject | Readonly<Record<string, unknown>>;
    readonly includeObject: string;
    readonly now: Date;
  },
): string {
  const columns = columnsOf(resource);
  const head = JSON.stringify(columns.map(definitionOf));
  const body = rows.map(({ object, meta }) => {
    const cells = JSON.stringify(columns.map((column) => column.cell(object, now)));
    return `{"cells":${cells}${embedded(object, meta, includeObject)}}`;
  });
  return `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":${JSON.stringify(metadata)},"columnDefinitions":${head},"rows":[${body.join(",")}]}`;
}

const definitionOf = ({ name, type, format, description, priority }: Column) => ({
  name,
  type,
  format,
  description,
  priority,
});

function embedded(
  object: StoredObject | JsonObject,
  meta: string | undefined,
  includeObject: string,
): string {
  if (includeObject === "None") return "";
  if (includeObject === "Object") return `,"object":${JSON.stringify(object)}`;
  const metadata = meta ?? JSON.stringify(isObject(object.metadata) ? object.metadata : object.metadata);
  return `,"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":${metadata}}`;
}
