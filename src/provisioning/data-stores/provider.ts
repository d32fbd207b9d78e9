import type { StoreKind } from "../../application/store-provider.ts";
import type { PlanContext, Step, StepContext, StepResult } from "../step.ts";

/** Who runs a data store: in the cluster, or outside of it. */
export interface DataStoreProvider {
  /** What making it will do. */
  describe(context: PlanContext, store: StoreKind): ReturnType<Step["describe"]>;
  /** Makes it and its Secret, until it can be used. Idempotent: what an interrupted run has made is found. */
  provision(context: StepContext, store: StoreKind): Promise<StepResult>;
}
