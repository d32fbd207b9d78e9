import type { StoredObject } from "./api.ts";
import { isObject, type JsonObject } from "./json.ts";
import type { ResourceInfo } from "./resources.ts";
import { failures } from "./status.ts";
import { tableOf } from "./table/table.ts";

/** How the client wants objects: `Accept: application/json;as=…;g=meta.k8s.io;v=v1`. */
export type Form = "object" | "metadata" | "table";

/**
 * The form asked for, the first acceptable one.
 * @throws ApiFailure 406 for protobuf only.
 */
export function formOf(accept: string | undefined): Form {
  if (accept === undefined || accept.trim() === "") return "object";
  for (const part of accept.split(",")) {
    const [type = "", ...parameters] = part.split(";").map((text) => text.trim());
    if (!["application/json", "application/*", "*/*", "application/yaml"].includes(type)) continue;
    const as = parameters.find((parameter) => parameter.startsWith("as="))?.slice(3);
    if (as === undefined) return "object";
    if (as === "Table") return "table";
    if (as === "PartialObjectMetadata" || as === "PartialObjectMetadataList") return "metadata";
  }
  throw failures.notAcceptable();
}

const partial = '{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":';

/** `metadata` as a PartialObjectMetadata text. */
export function partialText(meta: string): string {
  return `${partial}${meta}}`;
}

/** One object in the asked form. */
export function rendered(
  form: Form,
  resource: ResourceInfo,
  object: StoredObject | JsonObject,
  query: URLSearchParams,
  now: Date,
): string {
  if (form === "metadata") return partialText(JSON.stringify(object.metadata));
  if (form === "object") return JSON.stringify(object);
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const rows = [{ object, meta: JSON.stringify(metadata) }];
  return tableOf(resource, rows, {
    metadata: { resourceVersion: metadata.resourceVersion },
    includeObject: query.get("includeObject") ?? "Metadata",
    now,
  });
}
