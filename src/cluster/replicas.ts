import type { KubeObject } from "./object.ts";

/** Pods that a Deployment asks for; undefined where it says nothing, and of any other object. Pure. */
export function replicasOf({ kind, spec }: KubeObject): number | undefined {
  if (kind !== "Deployment" || typeof spec !== "object" || spec === null || !("replicas" in spec))
    return undefined;
  return typeof spec.replicas === "number" ? spec.replicas : undefined;
}

/** An object that asks for so many pods. Pure. */
export function withReplicas(object: KubeObject, replicas: number | undefined): KubeObject {
  return { ...object, spec: { ...(typeof object.spec === "object" ? object.spec : {}), replicas } };
}
