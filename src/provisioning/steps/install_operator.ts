import { withoutOperator } from "../installation.ts";
import { waitUntilReady } from "../objects/readiness.ts";
import { writesPart } from "./installation-part.ts";

/** What executes runs and reconciles Applications; waits until it is ready. */
export const installOperator = writesPart({
  id: "install_operator",
  title: "Operator",
  part: "operator",
  needs: ["install_rights", "install_standards"],
  notes: ({ installation }) => (installation?.image === undefined ? [withoutOperator] : []),
  async finish({ installation, cluster, clock, signal, standards, log }, objects) {
    const deployment = objects.find(({ kind }) => kind === "Deployment");
    if (deployment === undefined)
      return { summary: "its account and network policies", warnings: [withoutOperator] };
    const withinMs = standards.workload.progressDeadlineSeconds * 1_000;
    const ready = await waitUntilReady(deployment, { cluster, clock, signal, withinMs, log });
    return { summary: `${ready} ready, ${installation?.image ?? ""}` };
  },
});
