import { z } from "zod";
import { apply, type Cluster } from "../../cluster/cluster.ts";
import { conditionsOf, holds, tolerantArray } from "../../cluster/conditions.ts";
import { isClusterError } from "../../cluster/errors.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resourceOf, resources } from "../../cluster/resource.ts";
import { cleanText } from "../../cluster/text.ts";
import type { Clock } from "../clock.ts";
import { withMaker } from "../engine/write.ts";
import { StepError } from "../errors.ts";
import {
  belongsTo,
  objectEffect,
  observeEffect,
  propagationOf,
  refOf,
  waitUntilGone,
} from "../objects/objects.ts";
import type { EffectWriter } from "../step.ts";

/** What running a Job works with: a step's, or a compensation's. */
export interface JobContext {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly write: Pick<EffectWriter, "passing">;
  readonly run: string;
  readonly service: string;
  log(line: string): void;
}

/** A Job, and what has to be there while it runs. */
export interface JobAround {
  readonly around: readonly KubeObject[];
  readonly job: KubeObject;
  /** The container whose end counts, also where another one in the pod never ends. */
  readonly container: string;
  /** How long it may take, in milliseconds. */
  readonly withinMs: number;
  /** What it does, for a person: `taking the old login away`. */
  readonly doing: string;
}

/**
 * Runs a Job to its end and removes it, with what was there for it. It begins anew where an earlier try left one, so
 * what it does has to bear being done twice. One that fails stays, so that its pods can be looked at, until the step
 * is tried again or undone.
 * @returns what the container said at last, cleaned; nothing where nothing was told
 * @throws StepError `unhealthy` with the last words of its container, `conflict` where an object of that name is not the service's
 */
export async function runJob(context: JobContext, work: JobAround): Promise<string> {
  const [first, ...rest] = work.around;
  let said = "";
  if (first === undefined) {
    await context.write.passing(objectEffect(work.job), work.doing, async () => {
      said = await executed(context, work);
    });
    return said;
  }
  await context.write.passing(objectEffect(first), work.doing, async () => {
    await mustBeOurs(context, first);
    await apply(context.cluster, resourceOf(first), withMaker(first, context.run));
    said = await runJob(context, { ...work, around: rest });
    await removed(context, first);
  });
  return said;
}

/** @throws StepError `conflict` where an object of that name is not the service's */
export async function mustBeOurs(
  { cluster, service }: Pick<JobContext, "cluster" | "service">,
  object: KubeObject,
): Promise<void> {
  const existing = await observeEffect(cluster, objectEffect(object));
  if (existing === undefined || belongsTo(existing, service)) return;
  throw new StepError(
    "conflict",
    `${object.kind} ${object.metadata.name} exists and is not ${service}'s; it was left as it is`,
    "have its owner remove it, then retry",
  );
}

/** Deletes what is there for a Job's time, or the Job with its pods, and waits until it is gone. */
export async function removed(
  { cluster, clock, signal }: Pick<JobContext, "cluster" | "clock" | "signal">,
  object: KubeObject,
): Promise<void> {
  const uid = (await observeEffect(cluster, objectEffect(object)))?.metadata.uid;
  if (uid === undefined) return;
  try {
    await cluster.delete(resourceOf(object), refOf(object), { propagation: propagationOf(object.kind), uid });
  } catch (error) {
    if (!isClusterError(error, "not-found", "conflict")) throw error;
  }
  await waitUntilGone(cluster, clock, objectEffect(object), uid, { signal });
}

async function executed(context: JobContext, work: JobAround): Promise<string> {
  const { cluster, clock, signal, run, log } = context;
  const { job, doing, withinMs } = work;
  await mustBeOurs(context, job);
  // An earlier try may have stopped anywhere: this one has its own.
  await removed(context, job);
  signal.throwIfAborted();
  log(doing);
  const { uid } = (await cluster.create(resources.jobs, withMaker(job, run))).metadata;
  const deadline = clock.now().getTime() + withinMs;
  for (let pause = 50; ; pause = Math.min(1_000, pause * 1.4)) {
    const end = await endOf(cluster, job, work.container, uid);
    if (end.kind === "done") {
      await removed(context, job);
      return end.why;
    }
    const late = clock.now().getTime() > deadline;
    if (end.kind === "failed" || late) {
      const why = end.why === "" ? "its pod does not say why" : end.why;
      throw new StepError(
        "unhealthy",
        `${doing} ${late ? "took too long" : "failed"}: ${why}`,
        `see kubectl describe job ${job.metadata.name} -n ${job.metadata.namespace ?? ""}, then retry`,
      );
    }
    await clock.sleep(pause, signal);
  }
}

const podSchema = z.looseObject({
  status: z
    .looseObject({
      containerStatuses: tolerantArray(
        z.looseObject({
          name: z.string(),
          state: z
            .looseObject({
              waiting: z.looseObject({ reason: z.string().default("") }).optional(),
              terminated: z.looseObject({ exitCode: z.int(), message: z.string().default("") }).optional(),
            })
            .prefault({}),
        }),
      ),
    })
    .prefault({}),
});

/** The pods of a Job, the oldest first. */
export async function podsOfJob(
  cluster: Cluster,
  namespace: string,
  uid: string | undefined,
): Promise<readonly KubeObject[]> {
  const { items } = await cluster.list(resources.pods, {
    namespace,
    labelSelector: `batch.kubernetes.io/controller-uid=${uid ?? ""}`,
  });
  const born = ({ metadata }: KubeObject) => metadata.creationTimestamp ?? "";
  return items.toSorted((one, other) => (born(one) < born(other) ? -1 : 1));
}

interface End {
  readonly kind: "done" | "going" | "failed";
  readonly why: string;
}

/**
 * What has become of a Job: by its own word, or by that of the container that counts. `why` is what that container said
 * at last, cleaned, or the Job's own word.
 */
export async function endOf(
  cluster: Cluster,
  job: KubeObject,
  container: string,
  uid: string | undefined,
): Promise<End> {
  const { namespace = "", name } = job.metadata;
  const live = await cluster.get(resources.jobs, { namespace, name });
  const conditions = conditionsOf(live);
  const pods = await podsOfJob(cluster, namespace, uid);
  const containers = pods
    .flatMap((pod) => podSchema.safeParse(pod).data ?? [])
    .flatMap((pod) => pod.status.containerStatuses.filter((status) => status.name === container));
  const done = containers.find(({ state }) => state.terminated?.exitCode === 0);
  if (done !== undefined || holds(conditions, "Complete")) {
    return { kind: "done", why: cleanText(done?.state.terminated?.message ?? "") };
  }
  const words = containers.flatMap(({ state }) => state.terminated?.message ?? state.waiting?.reason ?? []);
  const failure = conditions.find(({ type, status }) => type === "Failed" && status === "True");
  const why = cleanText((words.at(-1) ?? "").trim() || (failure?.message ?? ""));
  return { kind: failure === undefined ? "going" : "failed", why };
}
