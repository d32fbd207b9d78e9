import { withCondition, withoutCondition } from "./conditions.ts";
import { rollingLimits } from "./rolling.ts";
import type { Condition, Deployment, ReplicaSet } from "./shapes.ts";

/**
 * A Deployment's status from its ReplicaSets, as the real controller words it. `overdue`: nothing has moved for
 * `progressDeadlineSeconds`. `complete`: the rollout has nothing left to do.
 */
export function deploymentStatus(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  sets: readonly ReplicaSet[],
  overdue: boolean,
  now: string,
): { readonly status: Record<string, unknown>; readonly complete: boolean } {
  const wanted = deployment.spec.replicas;
  const sum = (of: (set: ReplicaSet) => number) => sets.reduce((total, set) => total + of(set), 0);
  const replicas = sum(({ status }) => status.replicas);
  const ready = sum(({ status }) => status.readyReplicas);
  const available = sum(({ status }) => status.availableReplicas);
  const updated = current?.status.replicas ?? 0;
  const unavailable = Math.max(0, Math.max(wanted, replicas) - available);
  const complete = updated === wanted && replicas === wanted && available >= wanted;

  let conditions: Condition[] = withAvailable(deployment, available, now);
  const failure = sets
    .flatMap(({ status }) => status.conditions)
    .find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  conditions =
    failure === undefined
      ? withoutCondition(conditions, "ReplicaFailure")
      : withCondition(
          conditions,
          {
            type: "ReplicaFailure",
            status: "True",
            lastUpdateTime: now,
            reason: failure.reason,
            message: failure.message,
          },
          now,
        );
  const before = deployment.status;
  const moved =
    before.replicas !== replicas ||
    before.updatedReplicas !== updated ||
    before.availableReplicas !== available;
  const rolledOut = replicas === updated && deployment.spec.paused !== true;
  conditions = withProgress(deployment, current, conditions, { complete, overdue, moved, rolledOut, now });

  return {
    complete,
    status: {
      observedGeneration: deployment.metadata.generation ?? 1,
      ...(replicas > 0 ? { replicas } : {}),
      ...(updated > 0 ? { updatedReplicas: updated } : {}),
      ...(ready > 0 ? { readyReplicas: ready } : {}),
      ...(available > 0 ? { availableReplicas: available } : {}),
      ...(unavailable > 0 ? { unavailableReplicas: unavailable } : {}),
      terminatingReplicas: sum(({ status }) => status.terminatingReplicas),
      conditions,
    },
  };
}

function withAvailable(deployment: Deployment, available: number, now: string): Condition[] {
  const enough = available >= deployment.spec.replicas - rollingLimits(deployment).unavailable;
  const known = deployment.status.conditions.find(({ type }) => type === "Available");
  const status = enough ? "True" : "False";
  return withCondition(
    deployment.status.conditions,
    {
      type: "Available",
      status,
      lastUpdateTime: known?.status === status ? (known.lastUpdateTime ?? now) : now,
      reason: enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
      message: enough
        ? "Deployment has minimum availability."
        : "Deployment does not have minimum availability.",
    },
    now,
  );
}

function withProgress(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  conditions: readonly Condition[],
  state: {
    readonly complete: boolean;
    readonly overdue: boolean;
    /** Whether any number of pods changed. */
    readonly moved: boolean;
    /** Whether no pod of an older template is left. */
    readonly rolledOut: boolean;
    readonly now: string;
  },
): Condition[] {
  const { complete, overdue, moved, now } = state;
  const name = current?.metadata.name;
  const about = name === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${name}"`;
  const known = conditions.find(({ type }) => type === "Progressing");
  const set = (status: "True" | "False" | "Unknown", reason: string, message: string) => {
    const same = known?.status === status && known.reason === reason && known.message === message;
    const lastUpdateTime = same && !moved ? (known.lastUpdateTime ?? now) : now;
    return withCondition(conditions, { type: "Progressing", status, lastUpdateTime, reason, message }, now);
  };
  // A rollout that has once succeeded does not fail any more because a pod does.
  if (known?.reason === "NewReplicaSetAvailable" && state.rolledOut) return [...conditions];
  if (deployment.spec.paused === true) return set("Unknown", "DeploymentPaused", "Deployment is paused");
  if (complete) return set("True", "NewReplicaSetAvailable", `${about} has successfully progressed.`);
  if (overdue) return set("False", "ProgressDeadlineExceeded", `${about} has timed out progressing.`);
  return set("True", "ReplicaSetUpdated", `${about} is progressing.`);
}
