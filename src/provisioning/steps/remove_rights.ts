import { removesPart } from "./removes-part.ts";

/** The shipped roles and their bindings; last, so that a run that fails before can be gone on with by the same people. */
export const removeRights = removesPart("remove_rights", "Rights", "rights", ["remove_guardrails"]);
