import { desiredObjects, parts } from "../../application/desired-objects.ts";
import { systemNamespace } from "../../application/names.ts";
import { externalOf, isInCloud, storeKinds } from "../../application/store-provider.ts";
import type { AccessQuestion } from "../../cluster/cluster.ts";
import { resourceOf, resources } from "../../cluster/resource.ts";
import { operatorUser } from "../../guardrails/principals.ts";
import { externalSecretKinds } from "../../secrets/external-secrets.ts";
import { ProvisioningError } from "../errors.ts";
import { asked, lacking, wording } from "./access.ts";
import type { Check, CheckContext } from "./check.ts";

/** What executing a run asks of the cluster, undoing it included. */
function questionsOf(
  { request, application, standards, credential, backups, importing }: CheckContext,
  username: string,
): readonly AccessQuestion[] {
  const { namespace } = application.metadata;
  const desired = desiredObjects(application, standards);
  const kinds = new Set(parts.flatMap((part) => desired[part].map(resourceOf)));
  kinds.add(resources.applications);
  if (request.database !== "none" || request.cache !== "none") {
    // The operator gets the right to Secrets with the namespace itself.
    if (username !== operatorUser) kinds.add(resources.secrets);
    for (const kind of externalSecretKinds) if (standards.secrets.store !== "kubernetes") kinds.add(kind);
    kinds.add(resources.persistentVolumeClaims);
  }
  if (storeKinds.some((store) => isInCloud(application.spec, store))) {
    // What says where it is, and the Job that logs in to it.
    kinds.add(resources.configMaps);
    kinds.add(resources.jobs);
  }
  // The Job that logs in.
  if (storeKinds.some((store) => externalOf(application.spec, store))) kinds.add(resources.jobs);
  const byJob = credential ?? backups ?? importing ?? application.spec.migrations;
  if (byJob !== undefined) kinds.add(resources.jobs);
  if (importing !== undefined) kinds.add(resources.configMaps);
  return [
    asked("create", resources.runs, systemNamespace),
    { ...asked("update", resources.runs, systemNamespace), subresource: "status" },
    asked("patch", resources.leases, systemNamespace),
    ...[...kinds].flatMap((resource) =>
      ["get", "create", "patch", "delete"].map((verb) =>
        asked(verb, resource, resource.namespaced ? namespace : undefined),
      ),
    ),
  ];
}

/** Who has the operator execute a run needs one right: to ask for it. */
export const mayRequest: Check = async ({ cluster, standards }) => {
  const question = asked("create", resources.runs, systemNamespace);
  if (await cluster.can(question)) return undefined;
  const { username } = await cluster.whoAmI();
  return new ProvisioningError(
    "rights",
    `${username} may not ${wording(question)} on ${cluster.context}`,
    `ask ${standards.contact ?? `a platform engineer of ${cluster.context}`} to be made a member of a team`,
  );
};

/**
 * Whoever executes the run must have every right it takes, its rollback's included. The operator's rights are given it
 * by `platform install`, and those to a service's Secrets with the service's namespace: beforehand it cannot have them.
 */
export const rightsSuffice: Check = async (context) => {
  const { cluster, standards } = context;
  const { username } = await cluster.whoAmI();
  const questions = questionsOf(context, username);
  return lacking(cluster, questions, standards.contact ?? `a platform engineer of ${cluster.context}`);
};
