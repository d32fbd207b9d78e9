import { metadataOf, subjectOf } from "../../application/objects/subject.ts";
import {
  type Backup,
  type BackupFacts,
  backupFactsSchema,
  backupNameOf,
  backupsClaim,
  backupsIn,
  listing,
  makingRoom,
} from "../../backups/backup.ts";
import { backupContainer, backupDeadlineSeconds, backupObjects } from "../../backups/backup-job.ts";
import type { BackupAction } from "../../backups/backup-scripts.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { objectEffect, observeEffect, refOf } from "../objects.ts";
import { removed, runJob } from "../run-job.ts";
import type { PlanContext, StepContext } from "../step.ts";

/** What the steps of backups and restores work with, and what takes them back. */
export type CopiesContext = Pick<
  StepContext,
  "application" | "standards" | "cluster" | "clock" | "signal" | "write" | "run" | "log" | "backups"
>;

const doing: Readonly<Record<BackupAction, string>> = {
  backup: "dumping the database, and reading the dump",
  restore: "reading the backup into a database beside, and counting its rows",
  swap: "putting the restored database in the place of the service's",
  last: "dumping the database that was before once more",
  drop: "dropping the database that was before",
  undo: "putting the database that was before back in its place",
};

/** What a run's parameters name. @throws Error for a run that is about no backup */
export function backupsOf({ backups }: Pick<PlanContext, "backups">): NonNullable<PlanContext["backups"]> {
  if (backups === undefined) throw new Error("the run is about no backup");
  return backups;
}

/** Name of the backup that a run makes. */
export function backupMadeBy(context: Pick<CopiesContext, "application" | "run" | "backups">): string {
  const { operation } = backupsOf(context);
  return backupNameOf(context.run, context.application.metadata.name, operation);
}

/** Does something with the database, from inside the cluster. @returns what it said @throws StepError */
export function inDatabase(
  context: CopiesContext,
  action: BackupAction,
  backup: string,
  drop: readonly string[] = [],
): Promise<string> {
  const { application, standards } = context;
  const forRestore = backupsOf(context).operation === "restore";
  const { policies, job } = backupObjects(application, standards, action, { backup, drop, forRestore });
  return runJob(
    { ...context, service: application.metadata.name },
    {
      around: policies,
      job,
      container: backupContainer,
      withinMs: (backupDeadlineSeconds + 60) * 1_000,
      doing: doing[action],
    },
  );
}

/**
 * Dumps the service's database, or with `last` the one that a restore has put aside, and lists the dump as the run's
 * backup. The claim has to be there.
 */
export async function takeBackup(context: CopiesContext, action: "backup" | "last"): Promise<Backup> {
  const { application, standards, cluster, clock, write } = context;
  const claim = backupsClaim(application, standards);
  const ref = refOf(claim);
  const found = await find(cluster, resources.persistentVolumeClaims, ref);
  const name = backupMadeBy(context);
  const others = (found === undefined ? [] : backupsIn(found.metadata)).filter((each) => each.name !== name);
  const { keep } = standards.dataStores.backups;
  const gone = makingRoom(others, keep, backupsOf(context).restore).map((each) => each.name);
  const facts = factsIn(await inDatabase(context, action, name, gone));
  const made = { name, at: clock.now().toISOString(), ...(facts === undefined ? {} : { facts }) };
  const body = listing([made, ...others.filter((each) => !gone.includes(each.name))]);
  await write.keep(objectEffect(claim), "holds backups", () =>
    cluster.patch(resources.persistentVolumeClaims, ref, { type: "merge", body }),
  );
  return made;
}

/** What a backup's Job said it made; undefined where it said nothing, or something else. Pure. */
export function factsIn(said: string): BackupFacts | undefined {
  try {
    return backupFactsSchema.safeParse(JSON.parse(said)).data;
  } catch {
    return undefined;
  }
}

/** ConfigMap `<name>-db-restore`: there as long as a restore can be taken back. */
export function restoreMark(context: Pick<PlanContext, "application" | "standards" | "backups">): KubeObject {
  const { application, standards } = context;
  const subject = subjectOf(application, standards);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadataOf(subject, "database", `${subject.name}-db-restore`),
    data: { backup: backupsOf(context).restore ?? "" },
  };
}

/** Takes a restore back in the database; what is objects is undone after it, like any other step's. */
export async function undoRestore(context: CopiesContext): Promise<void> {
  // Nothing was made before it was there, and nothing is to be taken back once it is gone.
  const mark = await observeEffect(context.cluster, objectEffect(restoreMark(context)));
  if (mark === undefined) return;
  const backup = backupsOf(context).restore ?? "";
  const { application, standards } = context;
  // Who was interrupted may have left it at work: nothing may be restored beside what is undone.
  await removed(context, backupObjects(application, standards, "restore", { backup, drop: [] }).job);
  await inDatabase(context, "undo", backup);
}
