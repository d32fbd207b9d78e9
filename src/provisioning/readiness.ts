import { z } from "zod";
import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import type { KubeObject } from "../cluster/object.ts";
import { type Resource, resourceOf, resources } from "../cluster/resource.ts";
import type { Clock } from "./clock.ts";
import { StepError } from "./errors.ts";
import { refOf } from "./objects.ts";

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

const stateSchema = z
  .looseObject({
    waiting: z.looseObject({ reason: z.string().default(""), message: z.string().default("") }).optional(),
    terminated: z
      .looseObject({
        reason: z.string().default(""),
        message: z.string().default(""),
        exitCode: z.number().default(0),
      })
      .optional(),
  })
  .default({});
const containerSchema = z.looseObject({
  name: z.string(),
  image: z.string().default(""),
  ready: z.boolean().default(false),
  restartCount: z.number().default(0),
  state: stateSchema,
  lastState: stateSchema,
});
const podSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), deletionTimestamp: z.string().optional() }),
  status: z
    .looseObject({
      phase: z.string().default("Pending"),
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
      containerStatuses: z.array(containerSchema).default([]),
      initContainerStatuses: z.array(containerSchema).default([]),
    })
    .prefault({}),
});
type Pod = z.output<typeof podSchema>;

/** What is wrong with a pod, in the cluster's words. `fatal`: it does not mend itself. */
export interface PodProblem {
  readonly pod: string;
  readonly reason: string;
  readonly text: string;
  readonly fatal: boolean;
}

const fatalReasons = new Set(["InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"]);
const lastingReasons = new Set([
  "ImagePullBackOff",
  "ErrImagePull",
  "CrashLoopBackOff",
  "CreateContainerError",
  "RunContainerError",
]);

/** The first thing that keeps a pod from being ready, or undefined where it only takes its time. Pure. */
export function podProblem(pod: Pod): PodProblem | undefined {
  const { name } = pod.metadata;
  const { initContainerStatuses, containerStatuses, conditions } = pod.status;
  for (const container of [...initContainerStatuses, ...containerStatuses]) {
    const { waiting } = container.state;
    if (waiting === undefined) continue;
    const { reason, message } = waiting;
    if (!fatalReasons.has(reason) && !lastingReasons.has(reason)) continue;
    const last = container.lastState.terminated;
    const text =
      reason === "ImagePullBackOff" || reason === "ErrImagePull" || reason === "InvalidImageName"
        ? `image ${container.image} cannot be pulled: ${message === "" ? reason : message}`
        : reason === "CrashLoopBackOff" && last !== undefined
          ? `container ${container.name} ended ${container.restartCount} times, last with exit code ${last.exitCode}${last.reason === "" ? "" : ` (${last.reason})`}`
          : `container ${container.name}: ${reason}${message === "" ? "" : `: ${message}`}`;
    return { pod: name, reason, text, fatal: fatalReasons.has(reason) };
  }
  const scheduled = conditions.find(({ type, status }) => type === "PodScheduled" && status === "False");
  if (scheduled?.reason === "Unschedulable") {
    return {
      pod: name,
      reason: "Unschedulable",
      text: `cannot be scheduled: ${scheduled.message}`,
      fatal: false,
    };
  }
  return undefined;
}

/** Reasons that may pass, but fail a step when they last this long, in milliseconds. */
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
  const since = new Map<string, number>();
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
    for (const reason of since.keys())
      if (!problems.some((problem) => problem.reason === reason)) since.delete(reason);
    for (const { reason } of problems) if (!since.has(reason)) since.set(reason, now);
    for (const { pod, text, reason } of problems) {
      if (now - (since.get(reason) ?? now) >= worthTelling) tell(pod, `pod ${pod}: ${text}`);
    }
    const broken = problems.find(
      ({ fatal, reason }) =>
        fatal ||
        (lastingReasons.has(reason) && now - (since.get(reason) ?? now) >= Math.min(lastingFor, withinMs)),
    );
    if (broken !== undefined) {
      throw new StepError(
        "unhealthy",
        `pod ${broken.pod}: ${broken.text}`,
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
      const why = first === undefined ? "its pods did not say why" : `pod ${first.pod}: ${first.text}`;
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
): Promise<readonly Pod[]> {
  const { namespace } = target.metadata;
  const { items } = await cluster.list(resources.pods, {
    ...(namespace === undefined ? {} : { namespace }),
    labelSelector: Object.entries(matchLabels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    signal,
  });
  return items
    .map((item) => podSchema.parse(item))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}
