import { credentialSecret, databaseNames, otherInstanceCredentials } from "../../application/credentials.ts";
import { isInCloud } from "../../application/store-provider.ts";
import { secretValues } from "../../secrets/rotation.ts";
import { cloneOf, recordOf, workspaceEffect } from "../data-stores/cloud-store.ts";
import { plannedByTerraform, recordedStore } from "../data-stores/in-cloud.ts";
import { termsInCloud } from "../data-stores/terms.ts";
import { StepError } from "../errors.ts";
import type { Step } from "../step.ts";
import { besideName, instancesOf, momentOf } from "./cloud-restore.ts";
import { secretOfStore } from "./credentials.ts";

/**
 * Another instance, as the service's was at a moment: what says where it is, Terraform, then a Secret to reach it, with all
 * that the service's own Secret says now.
 */
export const cloneDatabase: Step = {
  id: "clone_database",
  title: "New instance",
  needs: ["preflight"],
  when: ({ application }) => isInCloud(application.spec, "database"),
  async describe(context) {
    const source = await recordedStore(context, "database");
    if (source?.provider !== "cloudsql") return { effects: [], notes: [], manifests: [] };
    const { name, project, region } = source.variables;
    // What tells it from others is made with the run.
    const wanted = cloneOf(source, "r", momentOf(context));
    return {
      effects: [],
      notes: [
        `Cloud SQL in project ${project}, ${region}: a clone of ${name} as it was at ${momentOf(context)}; both cost until one is removed`,
        ...(context.preview === true ? await plannedByTerraform(context, wanted) : []),
      ],
      manifests: [],
      terms: [termsInCloud(wanted, context.standards)],
    };
  },
  async apply(context) {
    const { application, cloud, clock, write, run, signal, log } = context;
    const { before, restored } = await instancesOf(context);
    const name = besideName(context);
    const record = { ...restored, madeAt: restored.madeAt ?? clock.now().toISOString() };
    const recorded = await write.createOnce(recordOf(application, "database", record, name));
    const values = secretValues(await secretOfStore(context, "database"));
    const { password } = values;
    if (password === undefined) {
      throw new StepError(
        "invalid",
        `secret ${databaseNames(application).name} has no password: nobody could log in to what is made`,
        "see who changed it; the runbook on rotation says what it holds; then retry",
      );
    }
    log(`a clone of ${before.variables.name} as it was at ${momentOf(context)}: ${restored.variables.name}`);
    const made = await write.workspace(workspaceEffect(restored), recorded.outcome === "created", () =>
      cloud.ensure(restored, password, { run, signal, log }),
    );
    await write.createOnce(
      credentialSecret(application, "database", name, otherInstanceCredentials(values, made)),
    );
    return {
      summary: `${restored.variables.name}, ${before.variables.name} as it was at ${momentOf(context)}`,
    };
  },
};
