import { migrationMark } from "../../application/migration.ts";
import { runChecks } from "../checks/check.ts";
import { checks } from "../checks/index.ts";
import { ProvisioningError, StepError } from "../errors.ts";
import type { Operation } from "../plan.ts";
import type { PlanContext, Step } from "../step.ts";

/** What the run screen says about passed checks. */
export function checksSummary(count: number): string {
  return `${count} checks`;
}

/** What going back to an earlier release does not take back. Pure. */
function keptMigrations({ application, previous }: Pick<PlanContext, "application" | "previous">): string[] {
  const mark = previous && migrationMark(previous.spec);
  return mark === undefined || mark === migrationMark(application.spec)
    ? []
    : ["the database stays as it is: what migrations of later releases have changed is not taken back"];
}

/** Everything that can be known beforehand is checked; nothing is written. */
export function preflight(operation: Operation): Step {
  return {
    id: "preflight",
    title: "Preflight",
    needs: [],
    when: () => true,
    async describe(context) {
      return { effects: [], notes: operation === "rollback" ? keptMigrations(context) : [], manifests: [] };
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
