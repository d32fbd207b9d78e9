import { isObject, numberAt, objectAt, textAt, valueAt } from "./json.ts";
import type { Registry, WriteContext } from "./registry.ts";
import { failures } from "./status.ts";

/** Deletes a pod unless a PodDisruptionBudget forbids it. @throws ApiFailure 404 or 429. */
export function evict(registry: Registry, namespace: string, name: string, eviction: unknown): void {
  const pods = registry.resources.byId("/pods");
  if (pods === undefined) throw failures.noSuchPath();
  const pod = registry.require(pods, namespace, name);
  const labels = pod.metadata.labels ?? {};
  for (const row of registry.store.rows("policy/poddisruptionbudgets", { namespace, part: "body" })) {
    const budget: unknown = JSON.parse(row.body);
    const wanted = Object.entries(objectAt(budget, "spec", "selector", "matchLabels") ?? {});
    const selects = wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
    if (!selects || (numberAt(budget, "status", "disruptionsAllowed") ?? 0) > 0) continue;
    throw failures.tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", [
      {
        reason: "DisruptionBudget",
        message: `The disruption budget ${textAt(budget, "metadata", "name")} needs ${numberAt(budget, "status", "desiredHealthy") ?? 0} healthy pods and has ${numberAt(budget, "status", "currentHealthy") ?? 0} currently`,
      },
    ]);
  }
  const grace = numberAt(eviction, "deleteOptions", "gracePeriodSeconds");
  const dryRun = valueAt(eviction, "deleteOptions", "dryRun");
  const context: WriteContext = {
    manager: "eviction",
    dryRun: Array.isArray(dryRun) && dryRun.includes("All"),
    fieldValidation: "Ignore",
    warn: () => {},
  };
  registry.delete(
    pods,
    namespace,
    name,
    grace === undefined || !isObject(eviction) ? {} : { grace },
    context,
  );
}
