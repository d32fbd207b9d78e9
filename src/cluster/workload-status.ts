import { z } from "zod";
import { conditionsSchema, holds } from "./conditions.ts";
import type { KubeObject } from "./object.ts";
import { cleanText } from "./text.ts";

const workloadSchema = z.object({
  spec: z
    .object({
      replicas: z.int().default(1),
      selector: z.object({ matchLabels: z.record(z.string(), z.string()).default({}) }).prefault({}),
      template: z
        .object({ spec: z.object({ containers: z.array(z.object({ image: z.string().optional() })) }) })
        .optional(),
    })
    .prefault({}),
  status: z
    .object({
      observedGeneration: z.int().default(0),
      replicas: z.int().default(0),
      updatedReplicas: z.int().default(0),
      readyReplicas: z.int().default(0),
      availableReplicas: z.int().default(0),
      conditions: conditionsSchema,
    })
    .prefault({}),
});

/** What the cluster reports of a Deployment or StatefulSet. */
export interface WorkloadStatus {
  /** Pods that are wanted. */
  readonly wanted: number;
  /** Pods that are ready, old ones included. */
  readonly ready: number;
  /** Labels of its pods. */
  readonly matchLabels: Readonly<Record<string, string>>;
  /** Image of its first container; empty where there is none. */
  readonly image: string;
  /** The controller has seen the newest spec. */
  readonly observed: boolean;
  /** The controller has acted on the newest spec, and every wanted pod is made from it, ready or not. */
  readonly updated: boolean;
  /** Rolled out: `updated`, every wanted pod is ready, and no old pod of a Deployment is left. */
  readonly complete: boolean;
  /** What the controller itself reports as wrong; undefined where nothing. */
  readonly problem: WorkloadProblem | undefined;
}

/** What keeps a controller from rolling out. `refused`: no pod may be made; `late`: its deadline has passed. */
export interface WorkloadProblem {
  readonly kind: "refused" | "late";
  /** One line, cleaned. */
  readonly text: string;
}

/** The status of a Deployment or StatefulSet. Pure. */
export function workloadStatus(object: KubeObject): WorkloadStatus {
  const { spec, status } = workloadSchema.safeParse(object).data ?? workloadSchema.parse({});
  const wanted = spec.replicas;
  const observed = status.observedGeneration >= (object.metadata.generation ?? 0);
  const updated = observed && status.updatedReplicas >= wanted;
  const noneIsOld =
    object.kind === "StatefulSet" || (status.availableReplicas >= wanted && status.replicas === wanted);
  return {
    wanted,
    ready: status.readyReplicas,
    matchLabels: spec.selector.matchLabels,
    image: cleanText(spec.template?.spec.containers[0]?.image ?? ""),
    observed,
    updated,
    complete: updated && status.readyReplicas >= wanted && noneIsOld,
    // Until the controller has seen the newest spec, its complaints are about the one before.
    problem: observed ? problemOf(status) : undefined,
  };
}

function problemOf({ conditions }: z.output<typeof workloadSchema>["status"]): WorkloadProblem | undefined {
  if (holds(conditions, "ReplicaFailure")) {
    const refusal = conditions.find(({ type }) => type === "ReplicaFailure")?.message ?? "";
    return { kind: "refused", text: cleanText(`pods cannot be created: ${refusal}`) };
  }
  if (conditions.some(({ reason }) => reason === "ProgressDeadlineExceeded")) {
    return { kind: "late", text: "the rollout did not finish in time" };
  }
  return undefined;
}
