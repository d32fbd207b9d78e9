import type { Condition } from "./shapes.ts";

/** A condition to set, without its `lastTransitionTime`. */
export interface Settable {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly [field: string]: unknown;
}

/**
 * The conditions with one set; its `lastTransitionTime` moves only when the status changes, as everywhere in
 * Kubernetes.
 */
export function withCondition(conditions: readonly Condition[], next: Settable, now: string): Condition[] {
  const known = conditions.find(({ type }) => type === next.type);
  const lastTransitionTime = known?.status === next.status ? (known.lastTransitionTime ?? now) : now;
  const set: Condition = { ...next, lastTransitionTime };
  return known === undefined
    ? [...conditions, set]
    : conditions.map((condition) => (condition.type === next.type ? set : condition));
}

/** The conditions without one type. */
export function withoutCondition(conditions: readonly Condition[], type: string): Condition[] {
  return conditions.filter((condition) => condition.type !== type);
}

/** Whether the condition is there and true. */
export function isTrue(conditions: readonly Condition[], type: string): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === "True");
}
