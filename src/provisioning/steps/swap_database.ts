import type { Step } from "../step.ts";
import { backupsOf, inDatabase } from "./database-copies.ts";
import { inOwnDatabase } from "./database-import.ts";

/**
 * The restored database takes the place of the service's, which is kept. What it does is taken back with the step
 * before, which has a mark of it.
 */
export const swapDatabase: Step = {
  id: "swap_database",
  title: "Swap",
  needs: ["restore_database"],
  when: () => true,
  async describe() {
    return {
      effects: [],
      notes: [
        "every connection to the database ends for a moment; what was written since the backup is not in it",
      ],
      manifests: [],
    };
  },
  async apply(context) {
    await inDatabase(context, "swap", backupsOf(context).restore ?? "");
    return { summary: "the restored database is the service's" };
  },
};

/** What was imported takes the place of the service's database, which is kept, and has to have been empty until then. */
export const swapImported: Step = {
  ...swapDatabase,
  needs: ["copy_closed"],
  async describe() {
    return {
      effects: [],
      notes: ["every connection to the service's database ends for a moment"],
      manifests: [],
    };
  },
  async apply(context) {
    await inOwnDatabase(context, "swap");
    return { summary: "the imported database is the service's" };
  },
};
