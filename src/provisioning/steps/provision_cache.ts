import type { Step } from "../step.ts";
import { dataStoreStep } from "./data-store.ts";

/** Redis in the cluster. */
export const provisionCache: Step = dataStoreStep({
  id: "provision_cache",
  title: "Cache",
  part: "cache",
  when: ({ application, previous }) =>
    application.spec.cache !== undefined && previous?.spec.cache === undefined,
});
