import { z } from "zod";
import { desiredObjects } from "../../application/desired-objects.ts";
import { namespaceOf, serviceNameSchema } from "../../application/names.ts";
import { isInCloud, storeKinds } from "../../application/store-provider.ts";
import { conditionsSchema } from "../../cluster/conditions.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { cleanText } from "../../cluster/text.ts";
import type { Proof } from "../../monitoring/metrics.ts";
import { investigate } from "../../monitoring/prove.ts";
import { planLines } from "../../terraform/plan.ts";
import { recordedStore } from "../data-stores/in-cloud.ts";
import { refOf } from "../objects/objects.ts";
import { waitUntilReady } from "../objects/readiness.ts";
import type { Step, StepContext } from "../step.ts";

/** How long a proof or a route is waited for, in milliseconds: three scrapes on a cluster. */
const patience = { real: 90_000, simulated: 10_000 } as const;

/** How long a rollout that was complete a moment ago may take to be so again, in milliseconds. */
const rolloutPatience = 30_000;

/** Rollout healthy, target scraped, route accepted: or exactly why not. Writes nothing. */
export const verify: Step = {
  id: "verify",
  title: "Verify",
  needs: ["apply_kubernetes", "remove_unused", "setup_monitoring", "configure_cicd", "configure_network"],
  skippable: true,
  when: () => true,

  async describe() {
    return { effects: [], notes: [], manifests: [] };
  },

  async apply(context) {
    const { application, standards } = context;
    const desired = desiredObjects(application, standards);
    const workloads = [...desired.workload, ...desired.database, ...desired.cache].filter(
      ({ kind }) => kind === "Deployment" || kind === "StatefulSet",
    );
    const ready = await Promise.all(
      workloads.map((workload) => waitUntilReady(workload, { ...context, withinMs: rolloutPatience })),
    );
    const [proof, unlike, route] = await Promise.all([
      proven(context),
      unlikePlanned(context),
      routeProblem(
        context,
        desired.network.find(({ kind }) => kind === "HTTPRoute"),
      ),
    ]);
    const warnings = [...(proof.status === "proven" || proof.status === "off" ? [] : [proof.reason])];
    warnings.push(...unlike.warnings);
    if (route !== undefined) warnings.push(route);
    const summary = [
      `${ready[0] ?? 0} of ${application.spec.replicas} replicas ready`,
      `monitoring ${proof.status}`,
      ...unlike.proofs,
    ];
    if (application.spec.exposure === "public") {
      summary.push(route === undefined ? "route accepted" : "route not accepted");
    }
    return { summary: summary.join(", "), warnings };
  },
};

/** Asks until there is a proof, or nothing that time could change stands in its way, or the patience is used up. */
async function proven(context: StepContext): Promise<Proof> {
  const { application, clock, signal, log } = context;
  const subject = {
    name: application.metadata.name,
    namespace: namespaceOf(serviceNameSchema.parse(application.metadata.name)),
    enabled: application.spec.monitoring.enabled,
  };
  let told = "";
  return poll(context, async () => {
    const { proof, pending } = await investigate(context, subject, signal);
    if (pending && "reason" in proof && proof.reason !== told) {
      told = proof.reason;
      log(`monitoring: ${proof.reason}`);
    }
    return { value: proof, pending };
  });

  async function poll<T>(
    { cluster }: StepContext,
    ask: () => Promise<{ readonly value: T; readonly pending: boolean }>,
  ): Promise<T> {
    const deadline = clock.now().getTime() + (cluster.simulated ? patience.simulated : patience.real);
    for (let pause = 250; ; pause = Math.min(5_000, pause * 1.5)) {
      const { value, pending } = await ask();
      if (!pending || clock.now().getTime() + pause > deadline) return value;
      await clock.sleep(pause, signal);
    }
  }
}

/** Whether the data stores outside of the cluster that this operation made are as they were planned. */
async function unlikePlanned(
  context: StepContext,
): Promise<{ readonly proofs: readonly string[]; readonly warnings: readonly string[] }> {
  const { application, previous, cloud, run, signal, log } = context;
  const made = storeKinds.filter(
    (store) => isInCloud(application.spec, store) && previous?.spec[store] === undefined,
  );
  const found = await Promise.all(
    made.map(async (store) => {
      const recorded = await recordedStore(context, store);
      if (recorded === undefined) return { proofs: [], warnings: [`nothing says where the ${store} is`] };
      const plan = await cloud.compare(recorded, { run, signal, log });
      if (!plan.changes) return { proofs: [`${store} as planned`], warnings: [] };
      const lines = planLines(plan).join("; ");
      return { proofs: [], warnings: [`the ${store} is not as planned: ${lines}`] };
    }),
  );
  return {
    proofs: found.flatMap(({ proofs }) => proofs),
    warnings: found.flatMap(({ warnings }) => warnings),
  };
}

const routeSchema = z.looseObject({
  status: z
    .looseObject({
      parents: z
        .array(
          z.looseObject({
            parentRef: z.looseObject({ name: z.string() }),
            conditions: conditionsSchema,
          }),
        )
        .default([]),
    })
    .prefault({}),
});

/** Why no gateway has accepted the route of a public service; undefined where one has, or none is wanted. */
async function routeProblem(
  { cluster, clock, signal, standards }: StepContext,
  route: KubeObject | undefined,
): Promise<string | undefined> {
  if (route === undefined) return undefined;
  if (!(await cluster.serves(resources.httpRoutes, { signal }))) {
    return "the service has no public route: the cluster has no HTTPRoute";
  }
  const { namespace, name } = standards.network.gateway;
  const deadline = clock.now().getTime() + (cluster.simulated ? 2_000 : 15_000);
  for (let pause = 250; ; pause = Math.min(2_000, pause * 1.5)) {
    const problem = problemOf(
      await find(cluster, resources.httpRoutes, refOf(route), { signal }),
      `${namespace}/${name}`,
    );
    if (problem === undefined || clock.now().getTime() + pause > deadline) return problem;
    await clock.sleep(pause, signal);
  }
}

/** What a gateway says of a route. Pure. */
function problemOf(route: KubeObject | undefined, gateway: string): string | undefined {
  if (route === undefined) return "the service has no public route: its HTTPRoute is not there";
  const parsed = routeSchema.safeParse(route);
  const parents = parsed.success ? parsed.data.status.parents : [];
  if (parents.length === 0) {
    return `no gateway has answered for the route yet: is there a Gateway ${gateway} with a controller?`;
  }
  const refusals = parents.flatMap(({ conditions }) =>
    conditions.filter(
      ({ type, status }) => (type === "Accepted" || type === "ResolvedRefs") && status !== "True",
    ),
  );
  const [first] = refusals;
  return (
    first && cleanText(`gateway ${gateway} has not accepted the route: ${first.message || first.reason}`)
  );
}
