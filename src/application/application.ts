import type { z } from "zod";
import type { KubeObject } from "../cluster/object.ts";
import type { applicationSpecSchema } from "./schema.ts";

/** Desired state of a service (`platform.company.com/v1` Application). Schema and CRD come from one source, `schema.ts`. */
export type ApplicationSpec = Readonly<z.output<typeof applicationSpecSchema>>;

/** An Application is named after its service and lives in the service's namespace. */
export interface Application extends KubeObject {
  readonly apiVersion: "platform.company.com/v1";
  readonly kind: "Application";
  readonly spec: ApplicationSpec;
}
