import type { Api, StoredObject } from "../api.ts";
import { isTrue } from "./conditions.ts";
import { type Pod, type PodTemplate, readPod } from "./shapes.ts";

/** The pods that a controller owns, oldest first. */
export function podsOf(api: Api, owner: StoredObject): Pod[] {
  return api
    .list("/pods", { namespace: owner.metadata.namespace ?? "" })
    .filter((pod) => isOwnedBy(pod, owner))
    .map(readPod)
    .sort((a, b) => compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp));
}

/** Whether `object`'s controller is `owner`. */
export function isOwnedBy(object: StoredObject, owner: StoredObject): boolean {
  return (object.metadata.ownerReferences ?? []).some(
    (reference) => reference.controller === true && reference.uid === owner.metadata.uid,
  );
}

/** The key of the object's controller when that is of this kind. */
export function controllerKey(object: StoredObject, kind: string): string | undefined {
  const owner = (object.metadata.ownerReferences ?? []).find((reference) => reference.controller === true);
  return owner?.kind === kind ? `${object.metadata.namespace ?? ""}/${owner.name}` : undefined;
}

/** Whether the pod counts for its controller: not going away and not finished. */
export function isActive(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    pod.status.phase !== "Succeeded" &&
    pod.status.phase !== "Failed"
  );
}

export function isReady(pod: Pod): boolean {
  return isTrue(pod.status.conditions, "Ready");
}

/** Milliseconds since the pod became ready; undefined while it is not. Kubernetes keeps whole seconds. */
export function readyForMs(pod: Pod, now: Date): number | undefined {
  const ready = pod.status.conditions.find(({ type, status }) => type === "Ready" && status === "True");
  return ready === undefined ? undefined : now.getTime() - Date.parse(ready.lastTransitionTime ?? "");
}

/** A reference that makes `owner` the controller of what it makes. */
export function controlledBy(owner: StoredObject) {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/**
 * Creates a pod from a template.
 * @throws ApiFailure as the API server refuses it: quota, missing service account, terminating namespace.
 */
export function createPod(
  api: Api,
  owner: StoredObject,
  template: PodTemplate,
  pod: {
    readonly name: string;
    readonly generateName: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly spec?: Readonly<Record<string, unknown>>;
  },
): StoredObject {
  return api.create("/pods", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: pod.name,
      generateName: pod.generateName,
      namespace: owner.metadata.namespace,
      labels: { ...template.metadata.labels, ...pod.labels },
      ...(template.metadata.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ownerReferences: [controlledBy(owner)],
    },
    spec: { ...template.spec, ...pod.spec },
    status: { phase: "Pending" },
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
