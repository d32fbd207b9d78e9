import type { ServiceName } from "../application/names.ts";
import type { ServiceRequest } from "../application/request.ts";
import type { KubeObject } from "../cluster/object.ts";
import type { Plan } from "./plan.ts";
import type { Execution, RollbackPreview, RunName, RunState } from "./run.ts";

/** What becomes of data stores: `keep-used` deletes only those this run made and nobody has used. */
export type DataStoreChoice = "keep-used" | "keep" | "delete";

export interface PlanWithManifests {
  readonly plan: Plan;
  /** Every object the plan would write, by step, in order; secrets' values are shown as `(generated)`. */
  readonly manifests: readonly KubeObject[];
}

/**
 * The use cases of runs: what commands, screens and one day the operator call. Methods throw
 * `ProvisioningError` (bad input, existing service, missing rights, not installed; nothing was written) or
 * ClusterError.
 */
export interface Provisioner {
  planCreate(request: ServiceRequest): Promise<PlanWithManifests>;
  planDelete(service: ServiceName, dataStores: DataStoreChoice): Promise<PlanWithManifests>;
  /** Checks, then creates the Run and executes it in this process. */
  create(request: ServiceRequest, options: { readonly onFailure: "rollback" | "hold" }): Promise<Execution>;
  delete(service: ServiceName, options: { readonly dataStores: DataStoreChoice }): Promise<Execution>;
  /** Goes on from the failed or interrupted step. Refused while its holder lives. */
  retry(run: RunName, options: { readonly onFailure: "rollback" | "hold" }): Promise<Execution>;
  previewRollback(run: RunName, dataStores: DataStoreChoice): Promise<RollbackPreview>;
  rollback(run: RunName, options: { readonly dataStores: DataStoreChoice }): Promise<Execution>;
  get(run: RunName): Promise<RunState>;
  /** Newest first. */
  list(options?: { readonly service?: ServiceName }): Promise<readonly RunState[]>;
  /** The state now and after each change, until the signal aborts or the run is deleted. */
  watch(run: RunName, signal: AbortSignal): AsyncIterable<RunState>;
}
