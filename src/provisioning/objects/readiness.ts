import { z } from "zod";
import type { Cluster } from "../../cluster/cluster.ts";
import { holds } from "../../cluster/conditions.ts";
import { isClusterError } from "../../cluster/errors.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { type PodProblem, type PodTrouble, podProblem, worstProblem } from "../../cluster/pod-problem.ts";
import { podStatus } from "../../cluster/pod-status.ts";
import { type Resource, resourceOf, resources } from "../../cluster/resource.ts";
import { type WorkloadStatus, workloadStatus } from "../../cluster/workload-status.ts";
import type { Clock } from "../clock.ts";
import { StepError } from "../errors.ts";
import { refOf } from "./objects.ts";

/** What may pass fails a step when it lasts this long, in milliseconds. */
const lastingFor = 15_000;
/** What passes sooner is no news, in milliseconds. */
const worthTelling = 1_000;

export interface ReadinessOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Longest wait, in milliseconds. */
  readonly withinMs: number;
  log(line: string): void;
}

/**
 * Waits until a Deployment or StatefulSet is rolled out and ready, and tells progress as it goes.
 * @returns the number of ready replicas
 * @throws StepError `unhealthy` with the cluster's own words, `refused` where no pod may be made
 */
export async function waitUntilReady(target: KubeObject, options: ReadinessOptions): Promise<number> {
  const { cluster, clock, signal, withinMs, log } = options;
  const resource: Resource = resourceOf(target);
  const started = clock.now().getTime();
  const tell = onceEach(log);
  const since = new Map<PodTrouble, number>();
  for (let pause = 50; ; pause = Math.min(1_000, pause * 1.4)) {
    const live = await readWorkload(cluster, resource, target, signal);
    const workload = workloadStatus(live);
    const { wanted, ready, problem: complaint } = workload;
    if (workload.complete) return ready;
    const now = clock.now().getTime();
    const pods = workload.observed ? await newPods(cluster, live, workload.matchLabels, signal) : [];
    const arrived = pods.filter((pod) => isOfNewest(live, pod) && isReady(pod)).length;
    tell("progress", `waiting for ${Math.max(0, wanted - arrived)} of ${wanted} replicas`);

    const problems = pods.map(podProblem).filter((problem) => problem !== undefined);
    for (const trouble of since.keys()) {
      if (!problems.some((problem) => problem.trouble === trouble)) since.delete(trouble);
    }
    for (const { trouble } of problems) if (!since.has(trouble)) since.set(trouble, now);
    const lasts = ({ trouble }: PodProblem) => now - (since.get(trouble) ?? now);
    for (const problem of problems) {
      if (lasts(problem) >= worthTelling) tell(problem.trouble, problem.text);
    }
    const broken = problems.find(
      (problem) =>
        problem.trouble === "final" ||
        (problem.trouble === "container" && lasts(problem) >= Math.min(lastingFor, withinMs)),
    );
    if (broken !== undefined) {
      throw new StepError(
        "unhealthy",
        `${broken.text} (pod ${broken.pod})`,
        "mend the image or its configuration, then retry",
      );
    }
    if (complaint?.kind === "refused") {
      tell("failure", complaint.text);
      if (now - started >= Math.min(lastingFor, withinMs)) {
        throw new StepError(
          "refused",
          complaint.text,
          "a quota or a guardrail refuses its pods: meet it, then retry",
        );
      }
    }
    if (now - started > withinMs || complaint?.kind === "late") {
      const why = worstProblem(pods)?.text ?? "its pods did not say why";
      throw new StepError(
        "unhealthy",
        `${target.kind} ${target.metadata.name} has ${counted(arrived, workload)} after ${Math.round((now - started) / 1_000)} s: ${why}`,
        "see its pods and events, then retry",
      );
    }
    await clock.sleep(pause, signal);
  }
}

/** How far a rollout came: what was there before it is ready still, and no part of it. Pure. */
function counted(arrived: number, { wanted, ready }: WorkloadStatus): string {
  const before = ready - arrived;
  if (before <= 0) return `${arrived} of ${wanted} replicas ready`;
  const serve = before === 1 ? "1 of those before serves" : `${before} of those before serve`;
  return `${arrived} of ${wanted} new replicas ready (${serve} meanwhile)`;
}

function isReady(pod: KubeObject): boolean {
  return holds(podStatus(pod).conditions, "Ready");
}

/** Says each thing once, until it changes. */
function onceEach(log: (line: string) => void): (topic: string, line: string) => void {
  const said = new Map<string, string>();
  return (topic, line) => {
    if (said.get(topic) === line) return;
    said.set(topic, line);
    log(line);
  };
}

async function readWorkload(
  cluster: Cluster,
  resource: Resource,
  target: KubeObject,
  signal: AbortSignal,
): Promise<KubeObject> {
  try {
    return await cluster.get(resource, refOf(target), { signal });
  } catch (error) {
    if (!isClusterError(error, "not-found")) throw error;
    throw new StepError(
      "refused",
      `${target.kind} ${target.metadata.name} was deleted meanwhile`,
      "retry makes it again",
      error,
    );
  }
}

/** The revision a Deployment is at, and which ReplicaSet carries it. */
const revision = "deployment.kubernetes.io/revision";
const templateHash = "pod-template-hash";

const revisionSchema = z.object({ status: z.object({ updateRevision: z.string().default("") }) });

/**
 * Whether a pod of a StatefulSet is made from its newest template, which only its label tells; those of a Deployment
 * are chosen by it already. Pure.
 */
function isOfNewest(workload: KubeObject, { metadata }: KubeObject): boolean {
  if (workload.kind !== "StatefulSet") return true;
  const newest = revisionSchema.safeParse(workload).data?.status.updateRevision ?? "";
  return newest === "" || metadata.labels?.["controller-revision-hash"] === newest;
}

/**
 * The pods of a workload's newest template: what the ones before it suffer from says nothing about a rollout that
 * mends it. A StatefulSet replaces its pods in place, so that all are looked at.
 */
async function newPods(
  cluster: Cluster,
  { kind, metadata }: KubeObject,
  matchLabels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const { namespace } = metadata;
  const selection = {
    ...(namespace === undefined ? {} : { namespace }),
    labelSelector: Object.entries(matchLabels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    signal,
  };
  const [{ items: pods }, { items: sets }] = await Promise.all([
    cluster.list(resources.pods, selection),
    kind === "Deployment" ? cluster.listMetadata(resources.replicaSets, selection) : { items: [] },
  ]);
  const living = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  if (kind !== "Deployment") return living;
  const newest = sets.find(
    (set) =>
      set.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) === true &&
      set.metadata.annotations?.[revision] === metadata.annotations?.[revision],
  );
  const hash = newest?.metadata.labels?.[templateHash];
  return living.filter((pod) => hash !== undefined && pod.metadata.labels?.[templateHash] === hash);
}
