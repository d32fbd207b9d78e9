import { removesPart } from "./removes-part.ts";

/** Stops the operator; what it has made stays as it is. */
export const removeOperator = removesPart("remove_operator", "Operator", "operator", ["preflight"]);
