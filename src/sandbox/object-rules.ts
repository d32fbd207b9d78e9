import type { StoredObject } from "./api.ts";
import { ensureObject, equal, isObject, type JsonObject, listAt, textAt } from "./json.ts";
import type { ResourceInfo } from "./resources.ts";
import { failures, type Subject } from "./status.ts";

/** What a failure about this object names. */
export function subjectOf(resource: ResourceInfo, name: string): Subject {
  return { group: resource.group, plural: resource.plural, name };
}

/** @throws ApiFailure 409 where the sent uid or resourceVersion is not the stored one. */
export function checkPreconditions(
  resource: ResourceInfo,
  name: string,
  before: StoredObject | undefined,
  sent: JsonObject,
): void {
  const version = textAt(sent, "metadata", "resourceVersion");
  const uid = textAt(sent, "metadata", "uid");
  const subject = subjectOf(resource, name);
  if (before === undefined) {
    // A version is a precondition only of what is there: an apply with one makes what is missing.
    if (uid) {
      throw failures.conflict(
        subject,
        `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
      );
    }
    return;
  }
  if (uid && uid !== before.metadata.uid) {
    throw failures.conflict(
      subject,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`,
    );
  }
  if (version && version !== before.metadata.resourceVersion) throw failures.modified(subject);
}

/** Whether the desired state is the same: what `metadata.generation` counts. */
export function sameDesired(resource: ResourceInfo, before: JsonObject, after: JsonObject): boolean {
  if (resource.custom === undefined) return equal(before.spec, after.spec);
  const desired = ({ metadata: _, status, ...rest }: JsonObject) =>
    resource.subresources.includes("status") ? rest : { ...rest, status };
  return equal(desired(before), desired(after));
}

/** For comparison: without resourceVersion and the times of field ownership. */
export function withoutVersion(object: JsonObject): JsonObject {
  const metadata: JsonObject = { ...(isObject(object.metadata) ? object.metadata : {}) };
  delete metadata.resourceVersion;
  metadata.managedFields = listAt(metadata, "managedFields").map((entry) =>
    isObject(entry) ? { ...entry, time: "" } : entry,
  );
  return { ...object, metadata };
}

/** A namespace stays until its own finalizers are gone too. */
export function hasNamespaceContent(resource: ResourceInfo, object: JsonObject): boolean {
  return resource.id === "/namespaces" && listAt(object, "spec", "finalizers").length > 0;
}

const suffixCharacters = "bcdfghjklmnpqrstvwxz2456789";

/** Completes `metadata.generateName` to a name, as the server does when none is given. Changes `object`. */
export function nameFromPrefix(object: JsonObject): void {
  const metadata = ensureObject(object, "metadata");
  const prefix = textAt(metadata, "generateName");
  if (prefix === undefined || prefix === "" || textAt(metadata, "name")) return;
  const random = crypto.getRandomValues(new Uint8Array(5));
  const suffix = [...random].map((byte) => suffixCharacters.charAt(byte % suffixCharacters.length)).join("");
  metadata.name = prefix.slice(0, 58) + suffix;
}
