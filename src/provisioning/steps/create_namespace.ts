import { isDeepStrictEqual } from "node:util";
import { desiredObjects } from "../../application/desired-objects.ts";
import { labels } from "../../application/names.ts";
import { teamBindingName } from "../../application/objects/team-access.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { writes } from "../describe.ts";
import type { PlanContext, Step } from "../step.ts";
import { partChanges } from "./change.ts";

type Context = Pick<PlanContext, "cluster" | "application" | "standards">;

/**
 * What the namespace is to have. Its tier stays as it is: that is a platform engineer's decision. A binding of the
 * team that an older version made stays too: the role that a binding names cannot be changed.
 */
async function wanted({ cluster, application, standards }: Context): Promise<readonly KubeObject[]> {
  const { namespace } = application.metadata;
  const [known, live, binding] = await Promise.all([
    cluster.serves(resources.guardrails),
    find(cluster, resources.namespaces, { name: namespace }),
    find(cluster, resources.roleBindings, { namespace, name: teamBindingName }),
  ]);
  const tier = live?.metadata.labels?.[labels.tier];
  const { namespace: objects } = desiredObjects(application, standards, { guardrails: known, tier });
  return objects.filter(
    ({ kind, metadata, roleRef }) =>
      kind !== resources.roleBindings.kind ||
      metadata.name !== teamBindingName ||
      binding === undefined ||
      isDeepStrictEqual(binding.roleRef, roleRef),
  );
}

/** The service's namespace with its guardrails: quota, limits, network policies, rights of the owning team. */
export const createNamespace: Step = {
  id: "create_namespace",
  title: "Namespace and guardrails",
  needs: ["preflight"],
  when: (context) => partChanges(context, "namespace"),
  async describe(context) {
    return writes(context, await wanted(context));
  },
  async apply({ write, log, ...context }) {
    const { application } = context;
    const objects = await wanted(context);
    const written = await write.objects(objects);
    const created = written.filter(({ outcome }) => outcome === "created").length;
    log(`${created} of ${written.length} objects created`);
    return { summary: `${application.metadata.namespace}, ${objects.length} objects` };
  },
};
