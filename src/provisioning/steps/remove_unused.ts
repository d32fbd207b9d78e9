import { deletions } from "../operations/describe.ts";
import type { Step } from "../step.ts";
import { unused } from "./change.ts";

/** Deletes what the service had before a change and has no more, but for its data stores. */
export const removeUnused: Step = {
  id: "remove_unused",
  title: "Unused objects",
  needs: ["apply_kubernetes", "setup_monitoring", "configure_network"],
  when: (context) => unused(context).length > 0,
  async describe(context) {
    return deletions(unused(context));
  },
  async apply(context) {
    const objects = unused(context);
    await context.write.deleteObjects(objects);
    return { summary: `${objects.length} ${objects.length === 1 ? "object" : "objects"} deleted` };
  },
};
