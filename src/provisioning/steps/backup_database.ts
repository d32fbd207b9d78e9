import { backupsClaim, backupsIn, listing, makingRoom } from "../../backups/backup.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { writes } from "../describe.ts";
import { objectEffect } from "../objects.ts";
import { mustBeOurs } from "../run-job.ts";
import type { Step } from "../step.ts";
import { withMaker } from "../write.ts";
import { backupMadeBy, backupsOf, factsIn, inDatabase } from "./database-copies.ts";

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
    const { application, standards, cluster, clock, write, run } = context;
    const claim = backupsClaim(application, standards);
    const { namespace = "", name } = claim.metadata;
    const effect = objectEffect(claim);
    await mustBeOurs({ cluster, service: application.metadata.name }, claim);
    await write.keep(effect, "holds backups", async () => {
      try {
        await cluster.create(resources.persistentVolumeClaims, withMaker(claim, run));
      } catch (error) {
        if (!isClusterError(error, "already-exists")) throw error;
      }
    });
    const list = async () => {
      const found = await find(cluster, resources.persistentVolumeClaims, { namespace, name });
      return found === undefined ? [] : backupsIn(found.metadata);
    };
    const backup = backupMadeBy(context);
    const others = (await list()).filter((each) => each.name !== backup);
    const { restore } = backupsOf(context);
    const gone = makingRoom(others, standards.dataStores.backups.keep, restore).map((each) => each.name);
    const facts = factsIn(await inDatabase(context, "backup", backup, gone));
    const made = { name: backup, at: clock.now().toISOString(), ...(facts === undefined ? {} : { facts }) };
    await write.keep(effect, "holds backups", () =>
      cluster.patch(
        resources.persistentVolumeClaims,
        { namespace, name },
        { type: "merge", body: listing([made, ...others.filter((each) => !gone.includes(each.name))]) },
      ),
    );
    return {
      summary:
        facts === undefined
          ? backup
          : `${backup}, ${facts.tables} tables, ${facts.rows} rows, ${facts.bytes} bytes`,
      ...(facts === undefined
        ? { warnings: ["its job did not tell what it made: the backup is not known to be good"] }
        : {}),
    };
  },
};
