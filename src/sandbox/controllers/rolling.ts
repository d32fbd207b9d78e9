import type { Deployment, ReplicaSet } from "./shapes.ts";

/** A number or a percentage of `total`. */
export function resolveCount(value: number | string, total: number, round: "up" | "down"): number {
  if (typeof value === "number") return value;
  const part = (Number.parseInt(value, 10) / 100) * total;
  return round === "up" ? Math.ceil(part) : Math.floor(part);
}

/** How far a rolling update may go above and below the wanted number of pods. */
export function rollingLimits(deployment: Deployment): {
  readonly surge: number;
  readonly unavailable: number;
} {
  const { replicas, strategy } = deployment.spec;
  if (strategy.type === "Recreate") return { surge: 0, unavailable: replicas };
  const surge = resolveCount(strategy.rollingUpdate?.maxSurge ?? "25%", replicas, "up");
  const unavailable = resolveCount(strategy.rollingUpdate?.maxUnavailable ?? "25%", replicas, "down");
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** A ReplicaSet and the replicas it should have. */
export interface Scaling {
  readonly set: ReplicaSet;
  readonly to: number;
}

/** The replicas of a ReplicaSet that a rollout makes now. */
export function newSetReplicas(deployment: Deployment, have: number, total: number): number {
  const { replicas, strategy } = deployment.spec;
  if (strategy.type === "Recreate" || have >= replicas) return replicas;
  const room = replicas + rollingLimits(deployment).surge - total;
  return room <= 0 ? have : have + Math.min(room, replicas - have);
}

/**
 * The next scalings of a rolling update, by the rules of the real controller: up within `maxSurge`; down first
 * what is not available, then what `maxUnavailable` allows.
 */
export function rollingScalings(
  deployment: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
): readonly Scaling[] {
  const total = current.spec.replicas + old.reduce((sum, set) => sum + set.spec.replicas, 0);
  const up = newSetReplicas(deployment, current.spec.replicas, total);
  if (up !== current.spec.replicas) return [{ set: current, to: up }];
  return scaleDown(deployment, current, old, total);
}

function scaleDown(
  deployment: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
  total: number,
): readonly Scaling[] {
  const minAvailable = deployment.spec.replicas - rollingLimits(deployment).unavailable;
  const currentUnavailable = current.spec.replicas - current.status.availableReplicas;
  let room = total - minAvailable - currentUnavailable;
  if (room <= 0) return [];
  const to = new Map<ReplicaSet, number>(old.map((set) => [set, set.spec.replicas]));
  for (const set of old) {
    const unhealthy = Math.max(0, set.spec.replicas - set.status.availableReplicas);
    const cut = Math.min(room, unhealthy);
    to.set(set, set.spec.replicas - cut);
    room -= cut;
  }
  const available =
    current.status.availableReplicas + old.reduce((sum, set) => sum + set.status.availableReplicas, 0);
  let spare = Math.max(0, available - minAvailable);
  for (const set of old) {
    const have = to.get(set) ?? 0;
    const cut = Math.min(spare, have);
    to.set(set, have - cut);
    spare -= cut;
  }
  return old.flatMap((set) => {
    const next = to.get(set) ?? 0;
    return next === set.spec.replicas ? [] : [{ set, to: next }];
  });
}
