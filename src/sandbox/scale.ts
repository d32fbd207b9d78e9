import type { StoredObject } from "./api.ts";
import {
  copy,
  ensureObject,
  isObject,
  type JsonObject,
  numberAt,
  objectAt,
  textAt,
  valueAt,
} from "./json.ts";
import type { ResourceInfo } from "./resources.ts";
import { cause, failures } from "./status.ts";

/** `autoscaling/v1` Scale of an object that has the subresource. */
export function scaleOf(resource: ResourceInfo, object: StoredObject): JsonObject {
  const paths = resource.scale;
  if (paths === undefined) throw failures.noSuchPath();
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector =
    paths.selector === undefined
      ? selectorText(objectAt(object, "spec", "selector"))
      : (textAt(object, ...paths.selector.split(".")) ?? "");
  const replicas = numberAt(object, ...paths.spec.split("."));
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      creationTimestamp,
    },
    spec: replicas === undefined ? {} : { replicas },
    status: {
      replicas: numberAt(object, ...paths.status.split(".")) ?? 0,
      ...(selector === "" ? {} : { selector }),
    },
  };
}

function selectorText(selector: JsonObject | undefined): string {
  const labels = objectAt(selector, "matchLabels") ?? {};
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${String(labels[key])}`)
    .join(",");
}

/** The object with the replicas of a written Scale. */
export function scaledObject(resource: ResourceInfo, before: StoredObject, scale: unknown): JsonObject {
  const paths = resource.scale;
  if (paths === undefined) throw failures.noSuchPath();
  if (!isObject(scale)) throw failures.badRequest("a Scale is expected");
  const replicas = valueAt(scale, "spec", "replicas") ?? 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas) || replicas < 0) {
    throw failures.invalid("autoscaling", "Scale", before.metadata.name, [
      cause.invalid("spec.replicas", replicas, "must be greater than or equal to 0"),
    ]);
  }
  const object = copy<JsonObject>(before);
  const version = textAt(scale, "metadata", "resourceVersion");
  if (version) ensureObject(object, "metadata").resourceVersion = version;
  const path = paths.spec.split(".");
  const last = path.pop() ?? "replicas";
  path.reduce<JsonObject>((parent, field) => ensureObject(parent, field), object)[last] = replicas;
  return object;
}
