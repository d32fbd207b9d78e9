import jsonPatch, { type Operation } from "fast-json-patch";
import { isObject, type JsonObject } from "./json.ts";
import { ApiFailure, failures } from "./status.ts";

/** RFC 7386: null removes a field, objects merge, all else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field];
    else merged[field] = mergePatch(merged[field], value);
  }
  return merged;
}

/**
 * RFC 6902. Changes `target`.
 * @throws ApiFailure 422 where an operation cannot be carried out, or a `test` fails; 400 for no patch at all.
 */
export function applyJsonPatch(target: JsonObject, patch: unknown): unknown {
  if (!Array.isArray(patch)) {
    throw failures.badRequest(
      "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch",
    );
  }
  try {
    let document: unknown = target;
    for (const operation of patch) {
      document = jsonPatch.applyOperation(document, lenient(document, operation), true, true).newDocument;
    }
    return document;
  } catch {
    throw new ApiFailure(
      422,
      "Invalid",
      "the server rejected our request due to an error in our request",
      {},
    );
  }
}

/** The API server's library replaces a field that an object has not, as if it had. */
function lenient(document: unknown, operation: Operation): Operation {
  if (operation.op !== "replace") return operation;
  const parts = operation.path.split("/").slice(1);
  const fields = parts.map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"));
  const parent = fields.slice(0, -1).reduce<unknown>(child, document);
  const last = fields.at(-1) ?? "";
  return isObject(parent) && !Object.hasOwn(parent, last) ? { ...operation, op: "add" } : operation;
}

function child(parent: unknown, field: string): unknown {
  if (Array.isArray(parent)) return parent[Number(field)];
  return isObject(parent) ? parent[field] : undefined;
}
