import { desiredObjects, parts } from "../../application/desired-objects.ts";
import { namespaceOf, systemNamespace } from "../../application/names.ts";
import type { AccessQuestion } from "../../cluster/cluster.ts";
import { type Resource, resourceOf, resources } from "../../cluster/resource.ts";
import { ProvisioningError } from "../errors.ts";
import type { Check, CheckContext } from "./check.ts";

function asked(verb: string, resource: Resource, namespace?: string): AccessQuestion {
  return {
    verb,
    group: resource.group,
    resource: resource.plural,
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** What executing a run asks of the cluster, undoing it included. */
function questionsOf({ request, application, standards }: CheckContext): readonly AccessQuestion[] {
  const namespace = namespaceOf(request.name);
  const desired = desiredObjects(application, standards);
  const kinds = new Set(parts.flatMap((part) => desired[part].map(resourceOf)));
  kinds.add(resources.applications);
  if (request.database !== "none" || request.cache !== "none") {
    kinds.add(resources.secrets);
    kinds.add(resources.persistentVolumeClaims);
  }
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

function wording({ verb, group, resource, subresource, namespace }: AccessQuestion): string {
  const name = `${resource}${group === "" ? "" : `.${group}`}${subresource === undefined ? "" : `/${subresource}`}`;
  return `${verb} ${name}${namespace === undefined ? "" : ` in ${namespace}`}`;
}

/** Whoever executes the run must have every right it takes, its rollback's included. */
export const rightsSuffice: Check = async (context) => {
  const { cluster, standards } = context;
  // One question answers for administrators, instead of some eighty.
  if (await cluster.can({ verb: "*", group: "*", resource: "*" })) return undefined;
  const questions = questionsOf(context);
  const answers = await Promise.all(questions.map((question) => cluster.can(question)));
  const missing = questions.filter((_, index) => answers[index] !== true);
  if (missing.length === 0) return undefined;
  const shown = missing.slice(0, 3).map(wording).join(", ");
  const more = missing.length <= 3 ? "" : `, and ${missing.length - 3} more`;
  const { username } = await cluster.whoAmI();
  return new ProvisioningError(
    "rights",
    `${username} may not ${shown}${more} on ${cluster.context}`,
    `ask ${standards.contact ?? `a platform engineer of ${cluster.context}`} for these rights`,
  );
};
