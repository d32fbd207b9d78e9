import { isClusterError } from "../../cluster/errors.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { objectEffect, observeEffect, refOf } from "../objects/objects.ts";
import type { Step, StepContext } from "../step.ts";
import { backupsOf, inDatabase, restoreMark, takeBackup } from "./database-copies.ts";
import { closedMark, importMark, inOwnDatabase } from "./database-import.ts";

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
    const mark = restoreMark(context);
    const there = await observeEffect(context.cluster, objectEffect(mark));
    if (there !== undefined) {
      await takeBackup(context, "last");
      await withoutMark(context, mark, "the restore can be taken back");
    }
    await inDatabase(context, "drop", backupsOf(context).restore ?? "");
    return { summary: "dropped" };
  },
};

/** The database that was before an import goes: it was empty. From here on the run can only be finished. */
export const deleteEmptyDatabase: Step = {
  ...deleteOldDatabase,
  needs: ["roll_pods"],
  async describe() {
    return {
      effects: [],
      notes: ["from here on the import cannot be taken back, and the source stays read-only"],
      manifests: [],
    };
  },
  async apply(context) {
    await withoutMark(context, importMark(context, "writable"), "the import can be taken back");
    await withoutMark(context, closedMark(context), "the source is read-only for the import");
    await inOwnDatabase(context, "drop");
    return { summary: "dropped; the source stays read-only" };
  },
};

/** Deletes what says that something can be taken back, where it is there. */
async function withoutMark({ cluster, write }: StepContext, mark: KubeObject, reason: string): Promise<void> {
  const effect = objectEffect(mark);
  const uid = (await observeEffect(cluster, effect))?.metadata.uid;
  if (uid === undefined) return;
  await write.remove(effect, reason, async () => {
    try {
      await cluster.delete(resources.configMaps, refOf(mark), { uid });
    } catch (error) {
      if (!isClusterError(error, "not-found", "conflict")) throw error;
    }
    return true;
  });
}
