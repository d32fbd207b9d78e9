import { isDeepStrictEqual } from "node:util";
import { desiredObjects } from "../../application/desired-objects.ts";
import { labels, operatorName } from "../../application/names.ts";
import { teamBindingName } from "../../application/objects/team-access.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { writes } from "../operations/describe.ts";
import type { PlanContext, Step, StepContext } from "../step.ts";
import { partChanges } from "./change.ts";

type Context = Pick<PlanContext, "cluster" | "application" | "standards">;
type Waiting = Pick<StepContext, "cluster" | "application" | "clock" | "signal">;

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

/** What gives the operator its rights in the namespace. */
function isOwnBinding({ kind, metadata }: KubeObject): boolean {
  return kind === resources.roleBindings.kind && metadata.name === operatorName;
}

/** Longest time that API servers may take to learn of a role binding, in milliseconds. */
const bindingKnownWithin = 10_000;

/** The right to the namespace's Secrets has just been bound; whoever has it not then is told by the step that needs it. */
async function untilSecretsAreAllowed({ cluster, application, clock, signal }: Waiting): Promise<void> {
  const { namespace } = application.metadata;
  const { group, plural } = resources.secrets;
  const deadline = clock.now().getTime() + bindingKnownWithin;
  while (!(await cluster.can({ verb: "create", group, resource: plural, namespace }, { signal }))) {
    if (clock.now().getTime() >= deadline) return;
    await clock.sleep(100, signal);
  }
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
    if (created > 0 && objects.some(isOwnBinding)) await untilSecretsAreAllowed(context);
    log(`${created} of ${written.length} objects created`);
    return { summary: `${application.metadata.namespace}, ${objects.length} objects` };
  },
};
