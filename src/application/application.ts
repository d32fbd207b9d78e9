import type { KubeObject, ObjectMeta } from "../cluster/object.ts";
import { type StoredApplicationSpec, storedSpecSchema } from "./schema.ts";

/**
 * Desired state of a service (`platform.company.com/v1` Application), whole: defaults are filled in, and the team is
 * that of the namespace where the document names none. Schema and CRD come from one source, `schema.ts`.
 */
export type ApplicationSpec = StoredApplicationSpec & { readonly team: string };

/**
 * An Application is named after its service and lives in a managed namespace: `app-<service>` where a run made it, or
 * one that several services share (`platform namespace manage`).
 */
export interface Application extends KubeObject {
  readonly apiVersion: "platform.company.com/v1";
  readonly kind: "Application";
  readonly metadata: ObjectMeta & { readonly namespace: string };
  readonly spec: ApplicationSpec;
}

/**
 * A stored spec made whole.
 * @param team - the team that the namespace's label names
 * @throws ZodError for a spec that the CRD would refuse
 */
export function wholeSpec(spec: unknown, team: string): ApplicationSpec {
  const stored = storedSpecSchema.parse(spec);
  return { ...stored, team: stored.team ?? team };
}
