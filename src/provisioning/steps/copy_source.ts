import { copyFactsSchema, saidBy } from "../../backups/import-source.ts";
import type { Step, StepContext, StepResult } from "../step.ts";
import { atSource } from "./database-import.ts";

/**
 * The source in a database beside the service's, while everybody still writes to it: what would go wrong goes wrong now, and
 * how long it takes is known before the source is closed.
 */
export const copySource: Step = {
  id: "copy_source",
  title: "Copy beside",
  needs: ["prove_source"],
  when: () => true,
  async describe() {
    return {
      effects: [],
      notes: ["dumps the source while it is in use, into a database beside, and compares every table"],
      manifests: [],
    };
  },
  apply: (context) => copied(context, "copy"),
};

/** Copies, and says what was copied. @throws StepError */
export async function copied(context: StepContext, action: "copy" | "final"): Promise<StepResult> {
  const facts = saidBy(copyFactsSchema, await atSource(context, action));
  if (facts === undefined) {
    return {
      summary: "copied",
      warnings: ["its job did not tell what it copied: it is not known to be what the source has"],
    };
  }
  const { tables, rows, seconds } = facts;
  const window = action === "copy" ? ": so long will the source be read-only, and a little more" : "";
  return { summary: `${tables} tables, ${rows} rows, the same on both sides, in ${seconds} s${window}` };
}
