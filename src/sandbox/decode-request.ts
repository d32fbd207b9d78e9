import type { StoredObject } from "./api.ts";
import { copy, ensureObject, isObject, type JsonObject, textAt } from "./json.ts";
import type { WriteContext } from "./registry.ts";
import type { ResourceInfo } from "./resources.ts";
import { DecodeError, decodeBuiltin, pruneCustom } from "./schema/decode.ts";
import { applyDefaults } from "./schema/defaults.ts";
import { objectMeta } from "./schema/schema.ts";
import { ApiFailure, failures } from "./status.ts";

/**
 * A request's body as an object of the resource: of the right kind, name and namespace, without unknown fields
 * (which `fieldValidation` ignores, warns of or refuses), with a custom resource's defaults.
 * @param name the name in the URL, if there is one.
 * @throws ApiFailure 400.
 */
export function decodeRequest(
  resource: ResourceInfo,
  namespace: string | undefined,
  name: string | undefined,
  body: unknown,
  context: WriteContext,
): JsonObject {
  if (!isObject(body))
    throw failures.badRequest("the object provided is unrecognized (must be of type Object)");
  const object = copy(body);
  const { kind, apiVersion } = object;
  if (
    (kind !== undefined && kind !== resource.kind) ||
    (apiVersion !== undefined && apiVersion !== resource.apiVersion)
  ) {
    throw failures.badRequest(
      `${String(kind)} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${resource.kind}: converting (${String(apiVersion)}, Kind=${String(kind)}) to (${resource.apiVersion}, Kind=${resource.kind}) is not possible`,
    );
  }
  object.apiVersion = resource.apiVersion;
  object.kind = resource.kind;
  const decoded = decode(resource, object, context);
  const metadata = ensureObject(decoded, "metadata");
  for (const field of ["labels", "annotations", "finalizers", "ownerReferences"] as const) {
    const value = metadata[field];
    if (isObject(value) ? Object.keys(value).length === 0 : Array.isArray(value) && value.length === 0) {
      delete metadata[field];
    }
  }
  if (!resource.namespaced) delete metadata.namespace;
  else if (!textAt(metadata, "namespace")) metadata.namespace = namespace;
  else if (metadata.namespace !== namespace) {
    throw failures.badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  }
  if (name !== undefined) {
    const found = textAt(metadata, "name") ?? "";
    if (found !== name && found !== "") {
      throw failures.badRequest(
        `the name of the object (${found}) does not match the name on the URL (${name})`,
      );
    }
    metadata.name = name;
  }
  return decoded;
}

function decode(resource: ResourceInfo, object: JsonObject, context: WriteContext): JsonObject {
  const prefix = `${resource.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: `;
  try {
    if (resource.custom === undefined) {
      const { object: decoded, unknown } = decodeBuiltin(object, resource.schema);
      reportUnknown(unknown, prefix, context);
      return decoded;
    }
    const metadata = decodeBuiltin(isObject(object.metadata) ? object.metadata : {}, objectMeta);
    const unknown = [
      ...metadata.unknown.map((field) => `metadata.${field}`),
      ...pruneCustom({ ...object, metadata: {} }, resource.schema),
    ];
    pruneCustom(object, resource.schema);
    object.metadata = metadata.object;
    reportUnknown(unknown, prefix, context);
    return object;
  } catch (error) {
    if (error instanceof DecodeError) throw failures.badRequest(prefix + error.message);
    throw error;
  }
}

function reportUnknown(unknown: readonly string[], prefix: string, context: WriteContext): void {
  if (unknown.length === 0 || context.fieldValidation === "Ignore") return;
  const messages = unknown.map((field) => `unknown field "${field}"`);
  if (context.fieldValidation === "Warn") messages.forEach(context.warn);
  else throw new ApiFailure(400, "BadRequest", `${prefix}strict decoding error: ${messages.join(", ")}`);
}

/** Fills in a custom resource's defaults; changes `object`. */
export function applyCustomDefaults(resource: ResourceInfo, object: JsonObject): void {
  if (resource.custom !== undefined) applyDefaults(object, resource.schema);
}

/** The object in the form and the version in which it is stored. */
export function storedOf(object: JsonObject, resource: ResourceInfo, resourceVersion: string): StoredObject {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = object;
  const found = isObject(metadata) ? metadata : {};
  const { managedFields, ...others } = found;
  return {
    apiVersion: resource.custom?.storedAs ?? resource.apiVersion,
    kind: resource.kind,
    metadata: {
      ...others,
      name: textAt(found, "name") ?? "",
      uid: textAt(found, "uid") ?? "",
      creationTimestamp: textAt(found, "creationTimestamp") ?? "",
      resourceVersion,
      ...(Array.isArray(managedFields) && managedFields.length > 0 ? { managedFields } : {}),
    },
    ...rest,
  };
}
