import {
  readingContainer,
  readingDeadlineSeconds,
  readingIn,
  readingObjects,
} from "../../backups/instance-job.ts";
import { runJob } from "../jobs/run-job.ts";
import type { Step } from "../step.ts";
import { besideName, isAtCloudSql } from "./cloud-restore.ts";

/** The service's login gets into the new instance from where its pods are, and every table can be read. Writes nothing that stays. */
export const proveClone: Step = {
  id: "prove_clone",
  title: "Proof",
  needs: ["clone_database"],
  when: isAtCloudSql,
  async describe() {
    return {
      effects: [],
      notes: ["a job logs in as the service does, and reads every table"],
      manifests: [],
    };
  },
  async apply(context) {
    const { application, standards, log } = context;
    const { policies, job } = readingObjects(application, standards, besideName(context));
    const said = await runJob(
      { ...context, service: application.metadata.name },
      {
        around: policies,
        job,
        container: readingContainer,
        withinMs: (readingDeadlineSeconds + 60) * 1_000,
        doing: "logging in to the new instance, and reading every table",
      },
    );
    const read = readingIn(said);
    if (read === undefined) {
      return {
        summary: "the service's login gets in",
        warnings: ["the job did not tell what it read: look at the data before the old instance is removed"],
      };
    }
    const { tables, rows, told } = read;
    for (const line of told) log(line);
    if (tables > told.length) log(`and ${tables - told.length} more tables`);
    return {
      summary: `${tables} ${tables === 1 ? "table" : "tables"}, ${rows} rows`,
      ...(tables === 0 ? { warnings: ["it has no tables: was there anything in it at that moment?"] } : {}),
    };
  },
};
