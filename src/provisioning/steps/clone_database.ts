import {
  credentialSecret,
  databaseNames,
  generatePassword,
  otherInstanceEndpoint,
  otherInstanceSecret,
} from "../../application/credentials.ts";
import { secretValues } from "../../secrets/rotation.ts";
import { cloneOf, recordOf, workspaceEffect } from "../data-stores/cloud-store.ts";
import { plannedByTerraform, recordedStore } from "../data-stores/in-cloud.ts";
import { termsInCloud } from "../data-stores/terms.ts";
import { StepError } from "../errors.ts";
import type { Step, StepContext } from "../step.ts";
import { besideName, instancesOf, isAtCloudSql, momentOf } from "./cloud-restore.ts";
import { secretOfStore } from "./credentials.ts";

/**
 * Another instance, as the service's was at a moment: what says where it is, the Secret to reach it, with all that the
 * service's own Secret says now, then Terraform.
 */
export const cloneDatabase: Step = {
  id: "clone_database",
  title: "New instance",
  needs: ["preflight"],
  when: isAtCloudSql,
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
    const login = await loginFor(context, restored.variables.user);
    log(`a clone of ${before.variables.name} as it was at ${momentOf(context)}: ${restored.variables.name}`);
    const made = await write.workspace(workspaceEffect(restored), recorded.outcome === "created", () =>
      cloud.ensure(restored, login.values.password, { run, signal, log }),
    );
    const endpoint = otherInstanceEndpoint(login.values, made);
    if (Object.entries(endpoint).some(([key, value]) => login.values[key] !== value)) {
      const { data } = credentialSecret(application, "database", name, endpoint);
      await write.patchObjects([login.secret], { data });
    }
    return {
      summary: `${restored.variables.name}, ${before.variables.name} as it was at ${momentOf(context)}`,
    };
  },
};

/**
 * The Secret of the new instance, made before it: with the login that Terraform gives a password, which is the service's
 * own of now, or another where the service has the other login of the two.
 */
async function loginFor(context: StepContext, username: string) {
  const { application, randomBytes, write } = context;
  const values = secretValues(await secretOfStore(context, "database"));
  if (values.password === undefined) {
    throw new StepError(
      "invalid",
      `secret ${databaseNames(application).name} has no password: nobody could log in to what is made`,
      "see who changed it; the runbook on rotation says what it holds; then retry",
    );
  }
  const password = values.username === username ? values.password : generatePassword(randomBytes);
  const { object } = await write.createOnce(
    credentialSecret(
      application,
      "database",
      besideName(context),
      otherInstanceSecret(values, { username, password }),
    ),
  );
  const secret = { ...object, apiVersion: "v1", kind: "Secret" };
  return { secret, values: secretValues(secret) };
}
