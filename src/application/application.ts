import type { KubeObject } from "../cluster/object.ts";
import type { ServiceRequest } from "./request.ts";

/** Desired state of a service (`platform.company.com/v1` Application). Schema and CRD come from one source, `schema.ts`. */
export interface ApplicationSpec {
  readonly team: string;
  readonly language: ServiceRequest["language"];
  readonly replicas: number;
  readonly image: string;
  /** True while `image` is the standards' starter image. */
  readonly starter: boolean;
  readonly exposure: ServiceRequest["exposure"];
  readonly database?: { readonly type: "postgres" };
  readonly cache?: { readonly type: "redis" };
  readonly monitoring: { readonly enabled: boolean; readonly alerts: ServiceRequest["alerts"] };
}

export interface Application extends KubeObject {
  readonly apiVersion: "platform.company.com/v1";
  readonly kind: "Application";
  readonly spec: ApplicationSpec;
}
