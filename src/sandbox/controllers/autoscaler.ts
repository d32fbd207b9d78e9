import { withCondition } from "./conditions.ts";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { between } from "./names.ts";
import { autoscalerSpecShape, conditionsStatusShape, rawSpec, readDeployment, typed } from "./shapes.ts";
import { nowText, type Simulation } from "./simulation.ts";

const autoscalers = "autoscaling/horizontalpodautoscalers";
const targets: Readonly<Record<string, string>> = {
  Deployment: "apps/deployments",
  StatefulSet: "apps/statefulsets",
};

/** Keeps the target within the autoscaler's bounds; the load it reports is made up and never moves it further. */
export function autoscalerController(simulation: Simulation): Controller {
  const { api, events } = simulation;
  return {
    name: "autoscalers",
    resources: [autoscalers, "apps/deployments", "apps/statefulsets"],
    *concerns({ resource, object }) {
      if (resource === autoscalers) yield keyOf(object);
      else if (resource === "apps/deployments" || resource === "apps/statefulsets") {
        for (const scaler of api.list(autoscalers, { namespace: object.metadata.namespace ?? "" })) {
          yield keyOf(scaler);
        }
      }
    },
    reconcile(key) {
      const { namespace, name } = parseKey(key);
      const stored = api.get(autoscalers, namespace, name);
      if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
      const scaler = typed(stored, autoscalerSpecShape, conditionsStatusShape);
      const { scaleTargetRef, minReplicas, maxReplicas, metrics } = scaler.spec;
      const now = nowText(simulation);
      const resource = targets[scaleTargetRef.kind];
      const target = resource === undefined ? undefined : api.get(resource, namespace, scaleTargetRef.name);
      if (resource === undefined || target === undefined) {
        const kind = `${scaleTargetRef.kind.toLowerCase()}s.apps`;
        const message = `the HPA controller was unable to get the target's current scale: ${kind} "${scaleTargetRef.name}" not found`;
        const conditions = withCondition(
          scaler.status.conditions,
          { type: "AbleToScale", status: "False", reason: "FailedGetScale", message },
          now,
        );
        api.updateStatus(autoscalers, {
          ...stored,
          status: { conditions, currentReplicas: 0, desiredReplicas: 0 },
        });
        return 5000;
      }
      const { spec, status } = readDeployment(target);
      const desired = spec.replicas === 0 ? 0 : Math.min(maxReplicas, Math.max(minReplicas, spec.replicas));
      if (desired !== spec.replicas) {
        api.update(resource, { ...target, spec: { ...rawSpec(target), replicas: desired } });
        const bound = spec.replicas < minReplicas ? "below Spec.MinReplicas" : "above Spec.MaxReplicas";
        const message = `New size: ${desired}; reason: Current number of replicas ${bound}`;
        events.record(scaler, "Normal", "SuccessfulRescale", message, "horizontal-pod-autoscaler");
      }
      const able = {
        type: "AbleToScale",
        status: "True",
        reason: "ReadyForNewScale",
        message: "recommended size matches current size",
      } as const;
      const active = {
        type: "ScalingActive",
        status: "True",
        reason: "ValidMetricFound",
        message:
          "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)",
      } as const;
      api.updateStatus(autoscalers, {
        ...stored,
        status: {
          observedGeneration: scaler.metadata.generation ?? 1,
          currentReplicas: status.replicas,
          desiredReplicas: desired,
          conditions: withCondition(withCondition(scaler.status.conditions, able, now), active, now),
          currentMetrics: metrics.flatMap(({ type, resource: metric }) => {
            if (metric === undefined) return [];
            const load = between(scaler.metadata.uid, 4, 35);
            return [
              {
                type,
                resource: {
                  name: metric.name,
                  current: { averageUtilization: load, averageValue: `${load}m` },
                },
              },
            ];
          }),
        },
      });
      return undefined;
    },
  };
}
