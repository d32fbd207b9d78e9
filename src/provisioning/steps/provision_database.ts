import type { Step } from "../step.ts";
import { dataStoreStep } from "./data-store.ts";

/** PostgreSQL, wherever it runs. */
export const provisionDatabase: Step = dataStoreStep({
  id: "provision_database",
  title: "Database",
  part: "database",
});
