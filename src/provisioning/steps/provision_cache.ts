import type { Step } from "../step.ts";
import { dataStoreStep } from "./data-store.ts";

/** Redis, wherever it runs. */
export const provisionCache: Step = dataStoreStep({
  id: "provision_cache",
  title: "Cache",
  part: "cache",
});
