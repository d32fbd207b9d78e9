import { z } from "zod";
import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import type { KubeObject } from "../cluster/object.ts";
import { type Resource, resourceOf, resources } from "../cluster/resource.ts";
import type { Clock } from "./clock.ts";
import { StepError } from "./errors.ts";
import { refOf } from "./objects.ts";
import { type PodProblem, podProblem } from "./pod-problem.ts";

const workloadSchema = z.looseObject({
  metadata: z.looseObject({ generation: z.number().default(1) }),
  spec: z.looseObject({
    replicas: z.number().default(1),
    selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()).default({}) }),
  }),
  status: z
    .looseObject({
      observedGeneration: z.number().default(0),
      replicas: z.number().default(0),
      updatedReplicas: z.number().default(0),
      readyReplicas: z.number().default(0),
      availableReplicas: z.number().default(0),
      conditions: z
        .array(
          z.looseObject({
            type: z.string(),
            status: z.string(),
            reason: z.string().default(""),
            message: z.string().default(""),
          }),
        )
        .default([]),
    })
    .prefault({}),
});
type Workload = z.output<typeof workloadSchema>;

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

function condition(workload: Workload, type: string) {
  return workload.status.conditions.find((candidate) => candidate.type === type);
}

/** Whether a rollout is complete: the newest generation is out and every replica of it is ready. Pure. */
function complete(kind: string, { metadata, spec, status }: Workload): boolean {
  if (status.observedGeneration < metadata.generation) return false;
  const updated = kind === "StatefulSet" && spec.replicas === 0 ? 0 : status.updatedReplicas;
  return (
    updated >= spec.replicas &&
    status.readyReplicas >= spec.replicas &&
    (kind === "StatefulSet" ||
      (status.availableReplicas >= spec.replicas && status.replicas === spec.replicas))
  );
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
  const since = new Map<PodProblem["trouble"], number>();
  for (let pause = 50; ; pause = Math.min(1_000, pause * 1.4)) {
    const workload = await readWorkload(cluster, resource, target, signal);
    const { spec, status } = workload;
    if (complete(target.kind, workload)) return status.readyReplicas;
    const now = clock.now().getTime();
    tell(
      "progress",
      `waiting for ${Math.max(0, spec.replicas - status.readyReplicas)} of ${spec.replicas} replicas`,
    );

    const pods = await podsOf(cluster, target, spec.selector.matchLabels, signal);
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
    const failure = condition(workload, "ReplicaFailure");
    if (failure?.status === "True") {
      tell("failure", failure.message);
      if (now - started >= Math.min(lastingFor, withinMs)) {
        throw new StepError(
          "refused",
          failure.message,
          "a quota or a guardrail refuses its pods: meet it, then retry",
        );
      }
    }
    const progressing = condition(workload, "Progressing");
    if (now - started > withinMs || progressing?.reason === "ProgressDeadlineExceeded") {
      const first = problems[0];
      const why = first === undefined ? "its pods did not say why" : first.text;
      throw new StepError(
        "unhealthy",
        `${target.kind} ${target.metadata.name} has ${status.readyReplicas} of ${spec.replicas} replicas ready after ${Math.round((now - started) / 1_000)} s: ${why}`,
        "see its pods and events, then retry",
      );
    }
    await clock.sleep(pause, signal);
  }
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
): Promise<Workload> {
  try {
    return workloadSchema.parse(await cluster.get(resource, refOf(target), { signal }));
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

async function podsOf(
  cluster: Cluster,
  target: KubeObject,
  matchLabels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const { namespace } = target.metadata;
  const { items } = await cluster.list(resources.pods, {
    ...(namespace === undefined ? {} : { namespace }),
    labelSelector: Object.entries(matchLabels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    signal,
  });
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}
