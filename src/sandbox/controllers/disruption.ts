import { withCondition } from "./conditions.ts";
import { selects } from "./label-selector.ts";
import type { Controller } from "./loop.ts";
import { isReady } from "./pods.ts";
import { resolveCount } from "./rolling.ts";
import { budgetSpecShape, conditionsStatusShape, readPod, typed } from "./shapes.ts";
import { nowText, type Simulation } from "./simulation.ts";

const budgets = "policy/poddisruptionbudgets";

/** Status of PodDisruptionBudgets. Its key is a namespace. */
export function disruptionController(simulation: Simulation): Controller {
  const { api } = simulation;
  return {
    name: "disruption",
    resources: [budgets, "/pods"],
    *concerns({ resource, object }) {
      if (resource === budgets || resource === "/pods") yield object.metadata.namespace ?? "";
    },
    reconcile(namespace) {
      const found = api.list(budgets, { namespace });
      if (found.length === 0) return undefined;
      const pods = api.list("/pods", { namespace }).map(readPod);
      for (const stored of found) {
        const budget = typed(stored, budgetSpecShape, conditionsStatusShape);
        const { selector, minAvailable, maxUnavailable } = budget.spec;
        const matching = pods.filter(
          (pod) => selector && pod.status.phase !== "Succeeded" && selects(selector, pod.metadata.labels),
        );
        const healthy = matching.filter(
          (pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined,
        ).length;
        const expected = matching.length;
        const desired =
          maxUnavailable === undefined
            ? resolveCount(minAvailable ?? 1, expected, "up")
            : Math.max(0, expected - resolveCount(maxUnavailable, expected, "up"));
        const allowed = expected === 0 ? 0 : Math.max(0, healthy - desired);
        const observedGeneration = budget.metadata.generation ?? 1;
        const conditions = withCondition(
          budget.status.conditions,
          {
            type: "DisruptionAllowed",
            status: allowed > 0 ? "True" : "False",
            reason: allowed > 0 ? "SufficientPods" : "InsufficientPods",
            message: "",
            observedGeneration,
          },
          nowText(simulation),
        );
        api.updateStatus(budgets, {
          ...stored,
          status: {
            conditions,
            currentHealthy: healthy,
            desiredHealthy: desired,
            disruptionsAllowed: allowed,
            expectedPods: expected,
            observedGeneration,
          },
        });
      }
      return undefined;
    },
  };
}
