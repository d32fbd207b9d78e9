import type { KubeObject } from "../../cluster/object.ts";
import { metadataOf, type Subject } from "./subject.ts";

/** Pods that follow the load; none unless the Application asks for it. */
export function autoscaler(subject: Subject): KubeObject[] {
  const { autoscaling } = subject.spec;
  if (autoscaling === undefined) return [];
  const { minReplicas, maxReplicas, cpuPercent } = autoscaling;
  return [
    {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: metadataOf(subject, "workload", subject.name),
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: subject.name },
        minReplicas,
        maxReplicas,
        metrics: [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: cpuPercent } },
          },
        ],
      },
    },
  ];
}
