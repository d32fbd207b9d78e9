import { systemNamespace } from "../../application/names.ts";
import type { AccessQuestion } from "../../cluster/cluster.ts";
import { type Resource, resourceOf, resources } from "../../cluster/resource.ts";
import { ProvisioningError } from "../errors.ts";
import { asked, lacking } from "./access.ts";
import type { Check, CheckContext } from "./check.ts";

/** Kinds that the platform's installation consists of, besides those its objects tell. */
const always: readonly Resource[] = [
  resources.customResourceDefinitions,
  resources.namespaces,
  resources.standards,
];

/** What executing an installation asks of the cluster, undoing it included. */
async function questions({ installation }: CheckContext): Promise<readonly AccessQuestion[]> {
  if (installation === undefined) return [];
  const { installationObjects } = await import("../../installation/objects.ts");
  const objects = Object.values(installationObjects(installation)).flat();
  const kinds = new Set([...always, ...objects.map(resourceOf)]);
  return [
    asked("create", resources.runs, systemNamespace),
    { ...asked("update", resources.runs, systemNamespace), subresource: "status" },
    asked("patch", resources.leases, systemNamespace),
    ...[...kinds].flatMap((resource) =>
      ["get", "create", "patch", "delete"].map((verb) =>
        asked(verb, resource, resource.namespaced ? systemNamespace : undefined),
      ),
    ),
  ];
}

/** Whoever installs must have every right it takes. What RBAC asks of who makes roles, it says itself. */
export const installationRightsSuffice: Check = async (context) => {
  const { cluster } = context;
  return lacking(cluster, await questions(context), `a cluster administrator of ${cluster.context}`);
};

/** Guardrails are admission policies: without them a developer's rights would be all that stands in the way. */
export const guardrailsAreServed: Check = async ({ cluster }) => {
  if (cluster.simulated || (await cluster.serves(resources.validatingAdmissionPolicies))) return undefined;
  return new ProvisioningError(
    "refused",
    `the cluster of ${cluster.context} has no ValidatingAdmissionPolicy v1: nothing could enforce the guardrails`,
    "bring the cluster to Kubernetes 1.30 or newer",
  );
};
