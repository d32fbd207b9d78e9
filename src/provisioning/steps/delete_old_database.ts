import { isClusterError } from "../../cluster/errors.ts";
import { resources } from "../../cluster/resource.ts";
import { objectEffect, observeEffect, refOf } from "../objects.ts";
import type { Step } from "../step.ts";
import { backupsOf, inDatabase, restoreMark, takeBackup } from "./database-copies.ts";

/**
 * The database that was before goes, and with its last write is the backup that this run has made. From here on the run
 * can only be finished.
 */
export const deleteOldDatabase: Step = {
  id: "delete_old_database",
  title: "Old database",
  needs: ["swap_database", "migrate"],
  when: () => true,
  async describe() {
    return {
      effects: [],
      notes: ["from here on the database that was before is in its backup alone"],
      manifests: [],
    };
  },
  async apply(context) {
    const { cluster, write } = context;
    const mark = restoreMark(context);
    const effect = objectEffect(mark);
    const uid = (await observeEffect(cluster, effect))?.metadata.uid;
    if (uid !== undefined) {
      await takeBackup(context, "last");
      await write.remove(effect, "the restore can be taken back", async () => {
        try {
          await cluster.delete(resources.configMaps, refOf(mark), { uid });
        } catch (error) {
          if (!isClusterError(error, "not-found", "conflict")) throw error;
        }
        return true;
      });
    }
    await inDatabase(context, "drop", backupsOf(context).restore ?? "");
    return { summary: "dropped" };
  },
};
