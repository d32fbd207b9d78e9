import { writesPart } from "./installation-part.ts";

/** What the cluster itself refuses. Last: from then on only the operator, and who manages guardrails, may pass. */
export const installGuardrails = writesPart({
  id: "install_guardrails",
  title: "Guardrails",
  part: "guardrails",
  needs: ["install_operator", "install_standards"],
  notes: ({ cluster }) => (cluster.simulated ? [notEnforced] : []),
  finish: async ({ cluster }) =>
    cluster.simulated ? { summary: "none", warnings: [notEnforced] } : undefined,
});

const notEnforced = "the sandbox enforces no admission policies: none are written";
