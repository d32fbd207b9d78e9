import { applicationFinalizer, migrationAnnotation } from "../../application/names.ts";
import { type ApplicationStatus, applicationStatusSchema } from "../../application/schema.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { apiVersionOf, resources } from "../../cluster/resource.ts";
import type { Subject } from "./events.ts";

/** What is kept of an Application. */
export interface HeldApplication {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly version: string;
  readonly generation: number;
  /** It is being deleted. */
  readonly leaving: boolean;
  readonly finalizers: readonly string[];
  /** Mark of the migration that a run says is done, or is not to be done. */
  readonly migration: string | undefined;
  /** As it is stored: parsed when it is worked on. */
  readonly spec: unknown;
  readonly status: ApplicationStatus;
}

/** What to keep of an Application. A status that is none counts as empty. Pure. */
export function heldApplication({ metadata, spec, status }: KubeObject): HeldApplication {
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? "",
    uid: metadata.uid ?? "",
    version: metadata.resourceVersion ?? "",
    generation: metadata.generation ?? 0,
    leaving: metadata.deletionTimestamp !== undefined,
    finalizers: metadata.finalizers ?? [],
    migration: metadata.annotations?.[migrationAnnotation],
    spec,
    status: applicationStatusSchema.safeParse(status ?? {}).data ?? {},
  };
}

/** Whether it carries the platform's finalizer. */
export function isHeld({ finalizers }: HeldApplication): boolean {
  return finalizers.includes(applicationFinalizer);
}

/** Its finalizers with or without the platform's. Pure. */
export function finalizersWith({ finalizers }: HeldApplication, ours: boolean): readonly string[] {
  const others = finalizers.filter((finalizer) => finalizer !== applicationFinalizer);
  return ours ? [...others, applicationFinalizer] : others;
}

/** The Application as what an Event is about. Pure. */
export function subjectOf({ name, namespace, uid }: HeldApplication): Subject {
  const { kind } = resources.applications;
  return { apiVersion: apiVersionOf(resources.applications), kind, namespace, name, uid };
}
