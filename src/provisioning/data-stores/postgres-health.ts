import { z } from "zod";
import { databasesNamespace } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { conditionsOf, holds } from "../../cluster/conditions.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { worstProblem } from "../../cluster/pod-problem.ts";
import { definitionOf, resources } from "../../cluster/resource.ts";
import { cleanText } from "../../cluster/text.ts";
import type { Clock } from "../clock.ts";
import { StepError } from "../errors.ts";
import { authorityOfCluster, clusterLabel } from "./postgres-cluster.ts";

const clusters = resources.postgresClusters;

/** What CloudNativePG says of a Cluster that serves. */
const healthyPhase = "Cluster in healthy state";

/** What it does not come back from without a person. */
const deadEnds: ReadonlySet<string> = new Set([
  "Cluster is unrecoverable and needs manual intervention",
  "Cluster has incomplete or invalid image catalog",
  "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
]);

const statusSchema = z.looseObject({
  phase: z.string().default("").catch(""),
  phaseReason: z.string().default("").catch(""),
});

function stateOf(object: KubeObject | undefined) {
  const status = statusSchema.safeParse(object?.status ?? {});
  const { phase, phaseReason } = status.success ? status.data : { phase: "", phaseReason: "" };
  const ready = object !== undefined && holds(conditionsOf(object), "Ready");
  return {
    phase,
    text: phaseReason === "" ? phase : `${phase}: ${phaseReason}`,
    healthy: ready && phase === healthyPhase,
  };
}

/** What a wait for a Cluster takes. */
export interface Waiting {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Longest wait, in milliseconds. */
  readonly readyWithinMs: number;
  log(line: string): void;
}

/**
 * Waits until all pods of a Cluster serve, and tells progress as it goes.
 * @throws StepError `unhealthy` in CloudNativePG's own words
 */
export async function untilHealthy(
  name: string,
  { cluster, clock, signal, readyWithinMs, log }: Waiting,
): Promise<void> {
  const deadline = clock.now().getTime() + readyWithinMs;
  const look = `see kubectl describe ${definitionOf(clusters)} ${name} -n ${databasesNamespace}, then retry`;
  for (let pause = 50, told = ""; ; pause = Math.min(2_000, pause * 1.4)) {
    const found = await find(cluster, clusters, { namespace: databasesNamespace, name });
    const { phase, text, healthy } = stateOf(found);
    if (healthy) return;
    if (deadEnds.has(phase)) throw new StepError("unhealthy", cleanText(`cluster ${name}: ${text}`), look);
    if (clock.now().getTime() > deadline) {
      const why = await lateness(cluster, name, text);
      throw new StepError("unhealthy", cleanText(why), look);
    }
    if (phase !== told && phase !== "") log(cleanText(`cluster ${name}: ${phase}`));
    told = phase;
    await clock.sleep(pause, signal);
  }
}

/** Why a Cluster is not healthy in time: what its pods suffer from, where they tell. */
async function lateness(cluster: Cluster, name: string, state: string): Promise<string> {
  if (state === "") {
    return `CloudNativePG has not begun with cluster ${name}: its controller does not run, or does not look at ${databasesNamespace}`;
  }
  const { items } = await cluster.list(resources.pods, {
    namespace: databasesNamespace,
    labelSelector: `${clusterLabel}=${name}`,
  });
  const problem = worstProblem(items);
  const why = problem === undefined ? state : `${problem.text} (pod ${problem.pod})`;
  return `cluster ${name} did not get healthy in time: ${why}`;
}

const authoritySchema = z.looseObject({ data: z.looseObject({ "ca.crt": z.string().min(1) }) });

/**
 * The certificate by which that of a Cluster's servers is judged; the key beside it is not looked at.
 * @throws StepError where there is none
 */
export async function authority(cluster: Cluster, name: string): Promise<string> {
  const secret = authorityOfCluster(name);
  const found = authoritySchema.safeParse(
    await find(cluster, resources.secrets, { namespace: databasesNamespace, name: secret }),
  );
  if (found.success) return Buffer.from(found.data.data["ca.crt"], "base64").toString("utf8");
  throw new StepError(
    "unhealthy",
    `cluster ${name} serves, and secret ${secret} in ${databasesNamespace} has no certificate in key ca.crt`,
    "see whether spec.certificates of the cluster was changed, then retry",
  );
}
