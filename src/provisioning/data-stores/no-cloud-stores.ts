import { StepError } from "../errors.ts";
import type { CloudStores } from "./cloud-stores.ts";

/** Where none can be needed: an installation of the platform has no data stores. */
export function noCloudStores(): CloudStores {
  const refuse = async (): Promise<never> => {
    throw new StepError("internal", "this run has no data stores outside of the cluster");
  };
  return { check: refuse, preview: refuse, compare: refuse, ensure: refuse, remove: refuse };
}
