import { runChecks } from "../checks/check.ts";
import { checks } from "../checks/index.ts";
import { ProvisioningError, StepError } from "../errors.ts";
import type { Operation } from "../plan.ts";
import type { Step } from "../step.ts";

/** What the run screen says about passed checks. */
export function checksSummary(count: number): string {
  return `${count} checks`;
}

/** Everything that can be known beforehand is checked; nothing is written. */
export function preflight(operation: Operation): Step {
  return {
    id: "preflight",
    title: "Preflight",
    needs: [],
    when: () => true,
    async describe() {
      return { effects: [], notes: [], manifests: [] };
    },
    async apply(context) {
      try {
        const { count, warnings } = await runChecks(checks[operation], context);
        return { summary: checksSummary(count), warnings };
      } catch (error) {
        if (!(error instanceof ProvisioningError)) throw error;
        const errorClass = error.kind === "rights" || error.kind === "unreachable" ? error.kind : "refused";
        throw new StepError(errorClass, error.message, error.mend, error);
      }
    },
  };
}
