import jsonPatch from "fast-json-patch";
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
    return jsonPatch.applyPatch(target, patch, true, true).newDocument;
  } catch (error) {
    const detail = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new ApiFailure(422, "Invalid", "the server rejected our request due to an error in our request", {
      causes: [{ reason: "UnexpectedServerResponse", message: detail }],
    });
  }
}
