import { z } from "zod";
import type { Application } from "../../application/application.ts";
import { credentialSecretNames, credentialsMark } from "../../application/credentials.ts";
import { desiredObjects } from "../../application/desired-objects.ts";
import { migrationMark } from "../../application/migration.ts";
import { credentialsAnnotation, migrationAnnotation, releaseAnnotation } from "../../application/names.ts";
import { specDiff } from "../../application/spec-diff.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { writes } from "../describe.ts";
import { StepError } from "../errors.ts";
import { objectEffect, observeEffect } from "../objects.ts";
import type { PlannedChange } from "../plan.ts";
import { waitUntilReady } from "../readiness.ts";
import type { PlanContext, Step } from "../step.ts";

/** What is read of a Deployment's spec. */
const podTemplate = z.object({
  template: z.object({
    metadata: z.object({ annotations: z.record(z.string(), z.string()).optional() }).optional(),
  }),
});

/** The Application, and from it the workload; waits until every replica is ready. */
export const applyKubernetes: Step = {
  id: "apply_kubernetes",
  title: "Application",
  needs: ["create_namespace", "provision_database", "provision_cache", "migrate"],
  when: () => true,
  async describe(context) {
    const { application, previous, change, cluster } = context;
    const uid = previous && (await observeEffect(cluster, objectEffect(previous)))?.metadata.uid;
    const starter = application.spec.starter
      ? ["runs the starter image until the pipeline has pushed one"]
      : [];
    // Whoever looks at a plan may not read Secrets: it is told for the credentials that the pods run with.
    const reads = credentialSecretNames(application).length > 0;
    const credentials = previous && reads ? await runningWith(context) : undefined;
    const { workload } = desiredObjects(ownedBy(application, uid), context.standards, { credentials });
    return writes(context, [ofRelease(application, change), ...workload], starter);
  },
  async apply(context) {
    const { application, standards, change, cluster, clock, signal, write, log } = context;
    await mustBeUntouched(cluster, application, change);
    const [stored] = await write.objects([ofRelease(application, change)]);
    const credentials = await markOfCredentials(context);
    const owner = ownedBy(application, stored?.object.metadata.uid);
    const objects = desiredObjects(owner, standards, { credentials }).workload;
    await write.objects(objects);
    const withinMs = standards.workload.progressDeadlineSeconds * 1_000;
    let ready = 0;
    for (const object of objects.filter(({ kind }) => kind === "Deployment")) {
      ready += await waitUntilReady(object, { cluster, clock, signal, withinMs, log });
    }
    const starter = application.spec.starter ? ", starter image" : "";
    return { summary: `${ready} of ${application.spec.replicas} replicas ready${starter}` };
  },
};

/** Mark of the credentials that the service's Secrets hold. */
async function markOfCredentials({ application, cluster }: PlanContext): Promise<string | undefined> {
  const { namespace } = application.metadata;
  const secrets = await Promise.all(
    credentialSecretNames(application).map((name) => find(cluster, resources.secrets, { namespace, name })),
  );
  return credentialsMark(secrets.filter((secret) => secret !== undefined));
}

/** Mark of the credentials that the service's pods were started with. */
async function runningWith({ application, cluster }: PlanContext): Promise<string | undefined> {
  const { name, namespace } = application.metadata;
  const deployment = await find(cluster, resources.deployments, { namespace, name });
  const parsed = podTemplate.safeParse(deployment?.spec);
  return parsed.data?.template.metadata?.annotations?.[credentialsAnnotation];
}

/** The Application as what it owns names it, once the cluster has given it a UID. */
function ownedBy(application: Application, uid: string | undefined): Application {
  return uid === undefined ? application : { ...application, metadata: { ...application.metadata, uid } };
}

/**
 * The Application as it is written: with the number of its release and the mark of the migration that was run, or of
 * which a release rollback runs nothing; without what the cluster gives it.
 */
function ofRelease(application: Application, { release }: PlannedChange): Application {
  const { uid: _, ...metadata } = application.metadata;
  const migration = migrationMark(application.spec);
  if (release === undefined && migration === undefined) return { ...application, metadata };
  const annotations = {
    ...metadata.annotations,
    ...(release === undefined ? {} : { [releaseAnnotation]: String(release) }),
    ...(migration === undefined ? {} : { [migrationAnnotation]: migration }),
  };
  return { ...application, metadata: { ...metadata, annotations } };
}

/**
 * A change is worked out from the Application as it was then: what somebody has changed meanwhile is not written over.
 * @throws StepError `conflict`
 */
async function mustBeUntouched(
  cluster: Cluster,
  { metadata }: Application,
  { before, after }: PlannedChange,
): Promise<void> {
  if (before === undefined) return;
  const { name, namespace = "" } = metadata;
  const live = await cluster.get(resources.applications, { name, namespace });
  const differs = (spec: PlannedChange["before"]) => specDiff(spec, live.spec);
  if (differs(before).length === 0 || differs(after).length === 0) return;
  const fields = differs(before).map(({ field }) => field);
  throw new StepError(
    "conflict",
    `somebody has changed the Application of ${name} since this run was planned (${fields.join(", ")}); it was left as it is`,
    "roll this run back, and ask for the change again",
  );
}
