import { backupsClaim } from "../../backups/backup.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { resources } from "../../cluster/resource.ts";
import { withMaker } from "../engine/write.ts";
import { mustBeOurs } from "../jobs/run-job.ts";
import { objectEffect } from "../objects/objects.ts";
import { writes } from "../operations/describe.ts";
import type { Step } from "../step.ts";
import { takeBackup } from "./database-copies.ts";

/** A dump of the database as it is, read once it is written. No rollback takes a backup away. */
export const backupDatabase: Step = {
  id: "backup_database",
  title: "Backup",
  needs: ["preflight"],
  when: () => true,
  async describe(context) {
    const described = await writes(context, [backupsClaim(context.application, context.standards)]);
    return {
      ...described,
      // What is there stays as it is.
      effects: described.effects.filter(({ action }) => action === "create"),
      notes: ["a job in the service's namespace dumps the database, and reads the dump"],
    };
  },
  async apply(context) {
    const { application, standards, cluster, write, run } = context;
    const claim = backupsClaim(application, standards);
    await mustBeOurs({ cluster, service: application.metadata.name }, claim);
    await write.keep(objectEffect(claim), "holds backups", async () => {
      try {
        await cluster.create(resources.persistentVolumeClaims, withMaker(claim, run));
      } catch (error) {
        if (!isClusterError(error, "already-exists")) throw error;
      }
    });
    const { name, facts } = await takeBackup(context, "backup");
    if (facts === undefined) {
      return {
        summary: name,
        warnings: ["its job did not tell what it made: the backup is not known to be good"],
      };
    }
    const { tables, rows, bytes } = facts;
    return { summary: `${name}, ${tables} tables, ${rows} rows, ${bytes} bytes` };
  },
};
