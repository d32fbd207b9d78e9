import { desiredObjects } from "../../application/desired-objects.ts";
import { writes } from "../describe.ts";
import type { Step } from "../step.ts";
import { partChanges } from "./change.ts";

/** The service's namespace with its guardrails: quota, limits, network policies, rights of the owning team. */
export const createNamespace: Step = {
  id: "create_namespace",
  title: "Namespace and guardrails",
  needs: ["preflight"],
  when: (context) => partChanges(context, "namespace"),
  describe(context) {
    return writes(context, desiredObjects(context.application, context.standards).namespace);
  },
  async apply({ application, standards, write, log }) {
    const objects = desiredObjects(application, standards).namespace;
    const written = await write.objects(objects);
    const created = written.filter(({ outcome }) => outcome === "created").length;
    log(`${created} of ${written.length} objects created`);
    return { summary: `${application.metadata.namespace}, ${objects.length} objects` };
  },
};
