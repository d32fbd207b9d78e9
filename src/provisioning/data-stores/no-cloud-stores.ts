import { StepError } from "../errors.ts";
import type { CloudStores } from "./cloud-stores.ts";

/** Where there are none: an installation of the platform needs no data stores, and a sandbox has no cloud. */
export function noCloudStores(
  why = "this run has no data stores outside of the cluster",
  mend = "",
): CloudStores {
  const refuse = async (): Promise<never> => {
    throw new StepError("refused", why, mend);
  };
  return { check: refuse, preview: refuse, compare: refuse, ensure: refuse, remove: refuse };
}
