import type { AccessQuestion, Cluster } from "../../cluster/cluster.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resourceOf, resources } from "../../cluster/resource.ts";
import type { Standards } from "../../standards/standards.ts";
import { ProvisioningError } from "../errors.ts";

/**
 * Asks for every right that writing and deleting these objects takes, and for that to manage guardrails.
 * @throws ProvisioningError `rights`
 */
export async function mayManage(
  cluster: Cluster,
  { contact }: Standards,
  objects: readonly KubeObject[],
  namespace: string,
): Promise<void> {
  const { group, plural } = resources.guardrails;
  const kinds = new Set(objects.map(resourceOf));
  const questions: readonly AccessQuestion[] = [
    { verb: "manage", group, resource: plural },
    ...[...kinds].flatMap((resource) =>
      ["get", "create", "patch", ...(resource.namespaced ? ["delete"] : [])].map((verb) => ({
        verb,
        group: resource.group,
        resource: resource.plural,
        ...(resource.namespaced ? { namespace } : {}),
      })),
    ),
  ];
  const answers = await Promise.all(questions.map((question) => cluster.can(question)));
  const missing = questions.filter((_, index) => answers[index] !== true);
  if (missing.length === 0) return;
  const told = missing
    .slice(0, 3)
    .map(({ verb, group: of, resource }) => `${verb} ${resource}${of === "" ? "" : `.${of}`}`);
  const more = missing.length <= 3 ? "" : `, and ${missing.length - 3} more`;
  throw new ProvisioningError(
    "rights",
    `managing namespaces needs rights that you lack on ${cluster.context}: ${told.join(", ")}${more}`,
    `ask ${contact ?? `a platform engineer of ${cluster.context}`} to do it`,
  );
}
