import type { Application } from "../../application/application.ts";
import type { ObjectsByPart, Part } from "../../application/desired-objects.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { keyOf } from "../../cluster/reflector.ts";
import { replicasOf } from "../../cluster/replicas.ts";
import { type Resource, resourceOf } from "../../cluster/resource.ts";
import { contentDigest } from "./digest.ts";
import type { Owner } from "./verdict.ts";

/** One object that should be there; the object itself is made again when it has to be written. */
export interface Wanted {
  readonly resource: Resource;
  /** `namespace/name`, or `name`. */
  readonly key: string;
  readonly part: Part;
  readonly owner: Owner;
  readonly digest: string;
  /** Of a Deployment; undefined where an autoscaler decides. */
  readonly replicas: number | undefined;
}

/** In which order objects are written: what pods need before what makes pods. */
const order: readonly Part[] = ["namespace", "database", "cache", "workload", "monitoring", "network"];

/** An Application's objects, in the order to write them. Pure. */
export function inOrder(
  objects: ObjectsByPart,
): readonly { readonly part: Part; readonly object: KubeObject }[] {
  return order.flatMap((part) => objects[part].map((object) => ({ part, object })));
}

/** What of an object is remembered to tell whether it is as wanted. Pure. */
export function wantedOf(object: KubeObject, part: Part, owner: Owner): Wanted {
  return {
    resource: resourceOf(object),
    key: keyOf(object),
    part,
    owner,
    digest: contentDigest(object),
    replicas: replicasOf(object),
  };
}

/** Whom an Application's objects belong to, by part: data stores outlive it. Pure. */
export function ownerOf({ metadata }: Application, part: Part): Owner {
  const key = keyOf({ metadata });
  return part === "database" || part === "cache"
    ? { kind: "service", key }
    : { kind: "application", key, uid: metadata.uid ?? "" };
}
