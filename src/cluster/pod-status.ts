import { z } from "zod";
import { conditionsSchema, tolerantArray } from "./conditions.ts";
import type { KubeObject } from "./object.ts";

const stateSchema = z
  .object({
    waiting: z.object({ reason: z.string().default(""), message: z.string().default("") }).optional(),
    terminated: z.object({ reason: z.string().default(""), exitCode: z.int().default(0) }).optional(),
  })
  .prefault({});

const containerSchema = z.object({
  name: z.string(),
  image: z.string().default(""),
  ready: z.boolean().default(false),
  restartCount: z.int().default(0),
  state: stateSchema,
  lastState: stateSchema,
});

const podSchema = z.object({
  spec: z.object({ nodeName: z.string().default("") }).prefault({}),
  status: z
    .object({
      phase: z.string().default("Pending"),
      conditions: conditionsSchema,
      initContainerStatuses: tolerantArray(containerSchema),
      containerStatuses: tolerantArray(containerSchema),
    })
    .prefault({}),
});

/** What a kubelet reports of one container. */
export type ContainerStatus = z.output<typeof containerSchema>;
/** What the cluster reports of one pod; of a pod that nobody has looked at yet it is `Pending`. */
export type PodStatus = z.output<typeof podSchema>["status"] & {
  /** Name of the node it runs on; empty before it is scheduled. */
  readonly node: string;
};

/** The status of a pod. Pure. */
export function podStatus(pod: KubeObject): PodStatus {
  const { spec, status } = podSchema.safeParse(pod).data ?? podSchema.parse({});
  return { ...status, node: spec.nodeName };
}
