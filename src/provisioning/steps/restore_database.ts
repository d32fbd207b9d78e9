import { writes } from "../operations/describe.ts";
import type { Step } from "../step.ts";
import { backupsOf, inDatabase, restoreMark } from "./database-copies.ts";

/** What a backup holds, in a database beside the service's, which nobody uses yet. */
export const restoreDatabase: Step = {
  id: "restore_database",
  title: "Restore beside",
  needs: ["backup_database"],
  when: () => true,
  async describe(context) {
    const described = await writes(context, [restoreMark(context)]);
    return {
      ...described,
      notes: [`backup ${backupsOf(context).restore ?? ""}, read into a database beside`],
    };
  },
  async apply(context) {
    const backup = backupsOf(context).restore ?? "";
    await context.write.objects([restoreMark(context)]);
    await inDatabase(context, "restore", backup);
    return { summary: `${backup} is restored beside, with the rows it had` };
  },
};
