import { migrationMark } from "../../application/migration.ts";
import { migrationJob } from "../../application/objects/migration.ts";
import { subjectOf } from "../../application/objects/subject.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { cleanText } from "../../cluster/text.ts";
import { runMigration } from "../jobs/run-migration.ts";
import { objectEffect } from "../objects/objects.ts";
import type { PlanContext, Step } from "../step.ts";
import { besideName, isAtCloudSql } from "./cloud-restore.ts";

/**
 * Brings the database to what the new image needs, before anything knows of that image: the Application is written
 * after it, so that no operator rolls it out either.
 */
export const migrate: Step = {
  id: "migrate",
  title: "Migration",
  needs: ["create_namespace", "provision_database", "provision_cache"],
  when({ application, previous }) {
    const mark = migrationMark(application.spec);
    return mark !== undefined && (previous === undefined || migrationMark(previous.spec) !== mark);
  },
  async describe(context) {
    const job = jobOf(context);
    return {
      effects: [{ action: "create", effect: objectEffect(job) }],
      notes: [
        `runs ${commandOf(context)} before anything is rolled out`,
        "what it changes in the database is not taken back by a rollback: the release before has to run on it",
      ],
      manifests: [job],
    };
  },
  async apply(context) {
    const { application, log } = context;
    log(`migrating: ${commandOf(context)}`);
    await runMigration({ ...context, service: application.metadata.name }, jobOf(context));
    return { summary: `${commandOf(context)} is done` };
  },
};

/** After a restore: what came back may be older than what the service runs, whatever was migrated before. */
export const migrateRestored: Step = {
  ...migrate,
  needs: ["swap_database", "prove_clone"],
  when: ({ application }) => migrationMark(application.spec) !== undefined,
  async describe(context) {
    const described = await migrate.describe(context);
    return { ...described, notes: [`runs ${commandOf(context)} on what was restored`] };
  },
  async apply(context) {
    const { application, log } = context;
    // Another instance is migrated before the service uses it.
    const database = isAtCloudSql(context) ? besideName(context) : undefined;
    log(`migrating: ${commandOf(context)}`);
    await runMigration({ ...context, service: application.metadata.name }, jobOf(context, database));
    return { summary: `${commandOf(context)} is done` };
  },
};

/** After an import: the same, for what came from elsewhere. */
export const migrateImported: Step = {
  ...migrate,
  needs: ["swap_database"],
  when: migrateRestored.when,
  async describe(context) {
    const described = await migrate.describe(context);
    return { ...described, notes: [`runs ${commandOf(context)} on what was imported`] };
  },
};

/** @throws Error for a service without migrations, which has no such step */
function jobOf(
  { application, standards }: Pick<PlanContext, "application" | "standards">,
  database?: string,
): KubeObject {
  const job = migrationJob(subjectOf(application, standards), database);
  if (job === undefined) throw new Error("the service has no migrations");
  return job;
}

/** The command for a person, in one line. */
function commandOf({ application }: Pick<PlanContext, "application">): string {
  const command = cleanText((application.spec.migrations?.command ?? []).join(" "));
  return command.length <= 60 ? command : `${command.slice(0, 59)}…`;
}
