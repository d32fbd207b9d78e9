import type { Step } from "../step.ts";
import { dataStoreStep } from "./data-store.ts";

/** PostgreSQL in the cluster. */
export const provisionDatabase: Step = dataStoreStep({
  id: "provision_database",
  title: "Database",
  part: "database",
  when: ({ application, previous }) =>
    application.spec.database !== undefined && previous?.spec.database === undefined,
});
