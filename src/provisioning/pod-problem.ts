import { z } from "zod";
import type { KubeObject } from "../cluster/object.ts";
import { problemOf } from "../services/problem.ts";

const containerSchema = z.looseObject({
  state: z
    .looseObject({
      waiting: z.looseObject({ reason: z.string().default(""), message: z.string().default("") }).optional(),
    })
    .default({}),
});
const podSchema = z.looseObject({
  status: z
    .looseObject({
      initContainerStatuses: z.array(containerSchema).default([]),
      containerStatuses: z.array(containerSchema).default([]),
    })
    .prefault({}),
});

/** What keeps a pod from being ready. */
export interface PodProblem {
  readonly pod: string;
  /** A sentence in the cluster's own words. */
  readonly text: string;
  /**
   * `final`: waiting changes nothing; `container`: it fails again and again, but may recover; `placement`: no node
   * takes it yet, or it has only begun to fail.
   */
  readonly trouble: "final" | "container" | "placement";
}

const finalReasons = new Set(["InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"]);
const failing = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "CrashLoopBackOff",
  "CreateContainerError",
  "RunContainerError",
]);
/** What a registry says of an image that it will not have, or not give, a minute later either. */
const definite = /not ?found|manifest unknown|unauthorized|access denied|forbidden/i;

/** The first thing that keeps a pod from being ready, or undefined where it only takes its time. Pure. */
export function podProblem(pod: KubeObject): PodProblem | undefined {
  const text = problemOf([pod]);
  if (text === "") return undefined;
  const parsed = podSchema.safeParse(pod);
  const { initContainerStatuses = [], containerStatuses = [] } = parsed.data?.status ?? {};
  const waiting = [...initContainerStatuses, ...containerStatuses].flatMap(
    ({ state }) => state.waiting ?? [],
  );
  // Kubernetes has tried at least twice when it backs off.
  const isFinal = waiting.some(
    ({ reason, message }) =>
      finalReasons.has(reason) || (reason === "ImagePullBackOff" && definite.test(message)),
  );
  const trouble = isFinal
    ? "final"
    : waiting.some(({ reason }) => failing.has(reason))
      ? "container"
      : "placement";
  return { pod: pod.metadata.name, text, trouble };
}
