import { z } from "zod";
import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import { cleanText } from "../cluster/text.ts";

const stateSchema = z
  .object({
    waiting: z.object({ reason: z.string().default(""), message: z.string().default("") }).optional(),
    terminated: z
      .object({
        reason: z.string().default(""),
        exitCode: z.int().default(0),
        message: z.string().default(""),
      })
      .optional(),
  })
  .prefault({});

const podSchema = z.object({
  status: z
    .object({
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().default(""),
            message: z.string().default(""),
          }),
        )
        .default([]),
      initContainerStatuses: z.array(z.unknown()).default([]),
      containerStatuses: z.array(z.unknown()).default([]),
    })
    .prefault({}),
});

const containerSchema = z.object({
  name: z.string(),
  image: z.string().default(""),
  ready: z.boolean().default(false),
  restartCount: z.int().default(0),
  state: stateSchema,
  lastState: stateSchema,
});
type Container = z.output<typeof containerSchema>;

/** Most pods that are read to find out what is wrong with a service. */
const podsRead = 20;

/**
 * Why pods of a namespace are not ready, in the cluster's own words; empty where they do not say, or may not be read.
 * @throws ClusterError where the cluster does not answer
 */
export async function readProblem(
  cluster: Cluster,
  namespace: string,
  signal?: AbortSignal,
): Promise<string> {
  try {
    const { items } = await cluster.list(resources.pods, {
      namespace,
      limit: podsRead,
      ...(signal === undefined ? {} : { signal }),
    });
    return problemOf(items);
  } catch (error) {
    if (isClusterError(error, "forbidden", "not-found")) return "";
    throw error;
  }
}

/** The most telling problem of these pods; empty where there is none. Pure. */
export function problemOf(pods: readonly KubeObject[]): string {
  let unscheduled = "";
  for (const pod of pods) {
    const parsed = podSchema.safeParse(pod);
    if (!parsed.success || pod.metadata.deletionTimestamp !== undefined) continue;
    const { conditions, containerStatuses, initContainerStatuses } = parsed.data.status;
    for (const raw of [...initContainerStatuses, ...containerStatuses]) {
      const container = containerSchema.safeParse(raw);
      const problem = container.success ? containerProblem(container.data) : "";
      if (problem !== "") return cleanText(problem);
    }
    const scheduled = conditions.find(({ type }) => type === "PodScheduled");
    if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") {
      unscheduled ||= `pod ${pod.metadata.name} cannot be scheduled: ${scheduled.message}`;
    }
  }
  return cleanText(unscheduled);
}

function containerProblem({ name, image, state, lastState, restartCount, ready }: Container): string {
  const { waiting, terminated } = state;
  switch (waiting?.reason ?? "") {
    case "":
    case "ContainerCreating":
    case "PodInitializing":
      break;
    case "ErrImagePull":
    case "ImagePullBackOff":
    case "InvalidImageName":
    case "ErrImageNeverPull":
      return `image ${image} cannot be pulled${pullReason(waiting?.message ?? "")}`;
    case "CrashLoopBackOff": {
      const end = lastState.terminated;
      if (end?.reason === "OOMKilled") return `container ${name} runs out of memory again and again`;
      return `container ${name} crashes again and again${end === undefined ? "" : `, exit code ${end.exitCode}`}`;
    }
    default:
      return `container ${name} cannot start: ${waiting?.message || waiting?.reason}`;
  }
  if (!ready && terminated !== undefined && terminated.exitCode !== 0) {
    return terminated.reason === "OOMKilled"
      ? `container ${name} ran out of memory`
      : `container ${name} ended with exit code ${terminated.exitCode}`;
  }
  if (!ready && restartCount > 0 && lastState.terminated?.reason === "OOMKilled") {
    return `container ${name} ran out of memory ${restartCount === 1 ? "once" : `${restartCount} times`}`;
  }
  return "";
}

/** The last part of a pull's message says why; `Back-off pulling image "…"` says nothing. */
function pullReason(message: string): string {
  const last = message.split(": ").at(-1)?.trim() ?? "";
  return last === "" || /^back-off pulling image/i.test(last) || last.length > 200 ? "" : `: ${last}`;
}
