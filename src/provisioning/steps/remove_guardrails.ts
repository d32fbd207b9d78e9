import { removesPart } from "./removes-part.ts";

/** From then on the cluster refuses nothing any more. */
export const removeGuardrails = removesPart("remove_guardrails", "Guardrails", "guardrails", [
  "release_applications",
]);
