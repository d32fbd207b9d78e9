import type { Step } from "../step.ts";
import { backupsOf, inDatabase } from "./database-copies.ts";

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
