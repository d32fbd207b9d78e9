import type { AccessQuestion, Cluster } from "../../cluster/cluster.ts";
import type { Resource } from "../../cluster/resource.ts";
import { ProvisioningError } from "../errors.ts";

/** Whether somebody may do this with every object of a resource. Pure. */
export function asked(verb: string, resource: Resource, namespace?: string): AccessQuestion {
  return {
    verb,
    group: resource.group,
    resource: resource.plural,
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** A right as a person asks for it: `patch deployments.apps in app-shop`. Pure. */
export function wording({ verb, group, resource, subresource, namespace }: AccessQuestion): string {
  const name = `${resource}${group === "" ? "" : `.${group}`}${subresource === undefined ? "" : `/${subresource}`}`;
  return `${verb} ${name}${namespace === undefined ? "" : ` in ${namespace}`}`;
}

/**
 * The refusal where whoever asks lacks some of these rights.
 * @param contact - whom to ask for them
 */
export async function lacking(
  cluster: Cluster,
  questions: readonly AccessQuestion[],
  contact: string,
): Promise<ProvisioningError | undefined> {
  // One question answers for administrators, instead of some eighty.
  if (await cluster.can({ verb: "*", group: "*", resource: "*" })) return undefined;
  const answers = await Promise.all(questions.map((question) => cluster.can(question)));
  const missing = questions.filter((_, index) => answers[index] !== true);
  if (missing.length === 0) return undefined;
  const shown = missing.slice(0, 3).map(wording).join(", ");
  const more = missing.length <= 3 ? "" : `, and ${missing.length - 3} more`;
  const { username } = await cluster.whoAmI();
  return new ProvisioningError(
    "rights",
    `${username} may not ${shown}${more} on ${cluster.context}`,
    `ask ${contact} for these rights`,
  );
}
