import {
  credentialSecretNames,
  credentialsMark,
  holdsData,
  nextCredentials,
} from "../../application/credentials.ts";
import { desiredObjects } from "../../application/desired-objects.ts";
import { secretVersionAnnotation } from "../../application/names.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import {
  type Login,
  type Rotatable,
  storeData,
  storeNames,
  type Turn,
  turnIn,
} from "../../secrets/rotation.ts";
import { rotationContainer, rotationObjects } from "../../secrets/rotation-job.ts";
import type { TurnAction } from "../../secrets/rotation-scripts.ts";
import { StepError } from "../errors.ts";
import { runJob } from "../jobs/run-job.ts";
import { objectEffect } from "../objects/objects.ts";
import { waitUntilReady } from "../objects/readiness.ts";
import type { PlannedStep } from "../plan.ts";
import type { PlanContext, StepContext } from "../step.ts";

/** What the steps of a rotation work with, and what takes them back. */
export type TurnContext = Pick<
  StepContext,
  "application" | "standards" | "cluster" | "clock" | "signal" | "write" | "run" | "log"
>;

/** The data store that a rotation is about. @throws Error for a run that is none */
export function storeOf({ credential }: Pick<PlanContext, "credential">): Rotatable {
  if (credential === undefined) throw new Error("a rotation is about a credential");
  return credential;
}

const doing: Readonly<Record<TurnAction, string>> = {
  enable: "giving the other login a new password",
  prove: "logging in with the new password, and waiting until nobody is connected with the old one",
  revoke: "taking a login away",
};

/** How long a Job of a rotation may take, in milliseconds: a little longer than the cluster lets it. */
const jobWithinMs = 7 * 60_000;

/** Does something in the data store, from inside the cluster. @throws StepError */
export async function inStore(context: TurnContext, store: Rotatable, action: TurnAction): Promise<void> {
  const { application, standards } = context;
  const { policies, job } = rotationObjects(application, standards, store, action);
  await runJob(
    { ...context, service: application.metadata.name },
    {
      around: policies,
      job,
      container: rotationContainer,
      withinMs: jobWithinMs,
      doing: doing[action],
    },
  );
}

/** The Secret that the service's pods read. @throws StepError `invalid` where it is not there */
export async function secretOfStore(
  { application, cluster }: Pick<TurnContext, "application" | "cluster">,
  store: Rotatable,
): Promise<KubeObject> {
  const { namespace } = application.metadata;
  const { name } = storeNames(application, store);
  const secret = await find(cluster, resources.secrets, { namespace, name });
  if (secret !== undefined) return { ...secret, apiVersion: "v1", kind: "Secret" };
  throw new StepError("invalid", `there is no secret ${name}`, `see kubectl get secrets -n ${namespace}`);
}

/** The Secret of the rotation that is under way, and both of its sides; undefined where none is. */
export async function turnOf(
  { application, cluster }: Pick<TurnContext, "application" | "cluster">,
  store: Rotatable,
): Promise<{ readonly secret: KubeObject; readonly turn: Turn } | undefined> {
  const { namespace } = application.metadata;
  const name = nextCredentials(storeNames(application, store).name);
  const found = await find(cluster, resources.secrets, { namespace, name });
  if (found === undefined) return undefined;
  const secret = { ...found, apiVersion: "v1", kind: "Secret" };
  const turn = turnIn(secret);
  if (turn !== undefined) return { secret, turn };
  throw new StepError(
    "invalid",
    `secret ${name} is not one of a rotation: it was left as it is`,
    `look at who made it: kubectl get secret ${name} -n ${namespace} --show-managed-fields -o jsonpath='{.metadata}'`,
  );
}

/** Both sides of this rotation. @throws StepError `invalid` where its Secret is gone */
export async function turnUnderWay(
  context: Pick<TurnContext, "application" | "cluster">,
  store: Rotatable,
): Promise<{ readonly secret: KubeObject; readonly turn: Turn }> {
  const found = await turnOf(context, store);
  if (found !== undefined) return found;
  const name = nextCredentials(storeNames(context.application, store).name);
  throw new StepError(
    "invalid",
    `secret ${name} is gone, which holds the new password`,
    "retry: the rotation begins anew with another password",
  );
}

/** Has the Secret that the service's pods read hold this login. What differs is written, nothing else. */
export async function writeLogin(
  context: TurnContext,
  store: Rotatable,
  login: Login,
  version: number,
): Promise<void> {
  const secret = await secretOfStore(context, store);
  const data = storeData(context.application, store, login, secret);
  if (holdsData(secret, data)) return;
  const annotations = { [secretVersionAnnotation]: String(version) };
  await context.write.patchObjects([secret], { data, metadata: { annotations } });
}

/** The service's Deployment with the mark of the credentials that its Secrets hold now. */
export async function markedDeployments({
  application,
  standards,
  cluster,
}: Pick<TurnContext, "application" | "standards" | "cluster">): Promise<readonly KubeObject[]> {
  const { namespace } = application.metadata;
  const secrets = await Promise.all(
    credentialSecretNames(application).map((name) => find(cluster, resources.secrets, { namespace, name })),
  );
  const credentials = credentialsMark(secrets.filter((secret) => secret !== undefined));
  return desiredObjects(application, standards, { credentials }).workload.filter(
    ({ kind }) => kind === "Deployment",
  );
}

/**
 * What changes where the pods read something new.
 * @param types - kinds of core objects of this name that say it
 */
export async function rolloutEffects(
  context: Pick<TurnContext, "application" | "standards" | "cluster">,
  name: string,
  types: readonly string[] = ["Secret"],
): Promise<PlannedStep["effects"]> {
  const { namespace } = context.application.metadata;
  const deployments = await markedDeployments(context);
  return [
    ...types.map((type) => ({ kind: "object" as const, apiVersion: "v1", type, namespace, name })),
    ...deployments.map(objectEffect),
  ].map((effect) => ({ action: "change", effect }));
}

/** Rolls the service's pods, so that each reads its credentials anew, and waits until they are ready. */
export async function rollPods(context: TurnContext): Promise<number> {
  const { standards, cluster, clock, signal, write, log } = context;
  const deployments = await markedDeployments(context);
  await write.objects(deployments);
  const withinMs = standards.workload.progressDeadlineSeconds * 1_000;
  let ready = 0;
  for (const deployment of deployments) {
    ready += await waitUntilReady(deployment, { cluster, clock, signal, withinMs, log });
  }
  return ready;
}
