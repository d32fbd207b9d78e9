import { ensureObject, isObject, type JsonObject, listAt, objectAt, textAt, valueAt } from "./json.ts";
import { timestamp } from "./timestamp.ts";

/** What the API server writes into a CRD that it serves: accepted names and the conditions. Changes `crd`. */
export function establish(crd: JsonObject, now: Date): void {
  const status = ensureObject(crd, "status");
  status.acceptedNames = objectAt(crd, "spec", "names") ?? {};
  status.storedVersions = listAt(crd, "spec", "versions")
    .filter((version) => valueAt(version, "storage") === true)
    .map((version) => textAt(version, "name"));
  const known = listAt(status, "conditions").filter(isObject);
  const made = [
    ["NamesAccepted", "NoConflicts", "no conflicts found"],
    ["Established", "InitialNamesAccepted", "the initial names have been accepted"],
  ] as const;
  status.conditions = made.map(
    ([type, reason, message]) =>
      known.find((condition) => condition.type === type) ?? {
        lastTransitionTime: timestamp(now),
        message,
        reason,
        status: "True",
        type,
      },
  );
}
