import { refText, type ServiceRef } from "../application/service-ref.ts";
import type { Proof } from "../monitoring/metrics.ts";
import type { Operation } from "../provisioning/plan.ts";
import type { RunPhase } from "../provisioning/runs/run.ts";

/**
 * What tells a row from all others, and a service to commands: its name, or `NAMESPACE/NAME` where it shares its
 * namespace; `NAMESPACE/` for a namespace without services.
 */
export function serviceKey({ kind, name, namespace }: Pick<Service, "kind" | "name" | "namespace">): string {
  if (kind === "namespace") return `${namespace}/`;
  return refText({ name, namespace });
}

/** What {@link serviceKey} is the key of; the name is empty for a namespace without services. */
export function serviceOfKey(key: string): ServiceRef {
  const at = key.indexOf("/");
  if (at === -1) return { name: key, namespace: `app-${key}` };
  return { name: key.slice(at + 1), namespace: key.slice(0, at) };
}

/** A number of things that are ready out of those wanted. */
export interface Readiness {
  readonly ready: number;
  readonly wanted: number;
}

/** A data store as the dashboard shows it; `none` where the service has none. */
export type DataStore =
  | { readonly type: "none" }
  | { readonly type: "postgres" | "redis"; readonly ready: boolean };

/** The newest run of a service. */
export interface LastRun {
  readonly name: string;
  readonly operation: Operation;
  readonly phase: RunPhase;
  /** RFC 3339. */
  readonly at: string;
  /** It looks as if it was at work, and nobody works on it any more; left out where that is not known. */
  readonly holderGone?: true;
}

/** How much a service needs a person: sorts the dashboard. `kept`: there is no service any more, only what was left of it on purpose. */
export type Verdict = "failed" | "degraded" | "working" | "healthy" | "kept";

/** One row of the dashboard: everything known about a service from the cluster, however incomplete. */
export interface Service {
  /** `namespace`: one that several services may share, with none in it yet; its name is the namespace's. */
  readonly kind: "service" | "namespace";
  readonly name: string;
  readonly namespace: string;
  readonly team: string;
  readonly verdict: Verdict;
  /** Why the verdict is not healthy, in the cluster's own words, cleaned; empty where it is. */
  readonly reason: string;
  readonly replicas: Readiness | undefined;
  readonly database: DataStore;
  readonly cache: DataStore;
  readonly monitoring: Proof;
  /** Names of the service's alerts that fire now; left out where that is not known. */
  readonly firing?: readonly string[];
  readonly image: string;
  readonly starter: boolean;
  readonly lastRun: LastRun | undefined;
  /** RFC 3339: the creation of the service's own namespace, or of the Application where it shares one. */
  readonly createdAt: string;
}
