import { isObject, valueAt } from "./json.ts";
import { failures } from "./status.ts";

type Labels = Readonly<Record<string, unknown>>;

/** Whether an object matches, by its labels or fields. */
export type Matcher<T> = (subject: T) => boolean;

const setBased = /^\s*([^\s,!=()]+)\s+(in|notin)\s*\(([^()]*)\)\s*$/;
const equality = /^\s*([^\s,!=()]+)\s*(==|=|!=)\s*([^\s,!=()]*)\s*$/;
const presence = /^\s*(!?)\s*([^\s,!=()]+)\s*$/;

/** Commas outside parentheses separate requirements. */
function requirements(text: string): readonly string[] {
  return text.split(/,(?![^()]*\))/).filter((part) => part.trim() !== "");
}

/**
 * A label selector in the query syntax: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
 * @throws ApiFailure 400 for anything else.
 */
export function labelSelector(text: string | null | undefined): Matcher<Labels> | undefined {
  if (text === null || text === undefined || text.trim() === "") return undefined;
  const tests = requirements(text).map((part): Matcher<Labels> => {
    const set = setBased.exec(part);
    if (set?.[1] !== undefined) {
      const key = set[1];
      const values = (set[3] ?? "").split(",").map((value) => value.trim());
      return set[2] === "in"
        ? (labels) => typeof labels[key] === "string" && values.includes(labels[key])
        : (labels) => typeof labels[key] !== "string" || !values.includes(labels[key]);
    }
    const equal = equality.exec(part);
    if (equal?.[1] !== undefined) {
      const [, key, operator, value] = equal;
      return operator === "!=" ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
    }
    const present = presence.exec(part);
    if (present?.[2] !== undefined) {
      const key = present[2];
      return present[1] === "!"
        ? (labels) => labels[key] === undefined
        : (labels) => labels[key] !== undefined;
    }
    throw failures.badRequest(
      `unable to parse requirement: found '${part.trim()}', expected: a label selector`,
    );
  });
  return (labels) => tests.every((test) => test(labels));
}

/** The fields that may be selected, beside `metadata.name` and `metadata.namespace`; the value when absent. */
const selectable: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "/pods": {
    "spec.nodeName": "",
    "spec.restartPolicy": "",
    "spec.schedulerName": "",
    "spec.serviceAccountName": "",
    "spec.hostNetwork": "false",
    "status.phase": "",
    "status.podIP": "",
    "status.nominatedNodeName": "",
  },
  "/events": {
    "involvedObject.kind": "",
    "involvedObject.namespace": "",
    "involvedObject.name": "",
    "involvedObject.uid": "",
    "involvedObject.apiVersion": "",
    "involvedObject.resourceVersion": "",
    "involvedObject.fieldPath": "",
    reason: "",
    reportingComponent: "",
    source: "",
    type: "",
  },
  "/secrets": { type: "" },
  "/namespaces": { "status.phase": "" },
  "/nodes": { "spec.unschedulable": "false" },
  "/replicationcontrollers": { "status.replicas": "0" },
  "apps/replicasets": { "status.replicas": "0" },
  "batch/jobs": { "status.successful": "0" },
  "/services": { "spec.clusterIP": "", "spec.type": "" },
};

/** What a field selector selects. */
export interface FieldSelection {
  readonly matches: Matcher<unknown>;
  /** The name that is selected; undefined: more than one. */
  readonly name: string | undefined;
  /** Whether nothing but that name is selected. */
  readonly byName: boolean;
}

/**
 * A field selector: `metadata.name=x,status.phase!=Running`.
 * @param extra further selectable fields, of a CRD's `selectableFields`.
 * @throws ApiFailure 400 for a field that cannot be selected.
 */
export function fieldSelector(
  resource: string,
  text: string | null | undefined,
  extra: readonly string[] = [],
): FieldSelection | undefined {
  if (text === null || text === undefined || text.trim() === "") return undefined;
  let name: string | undefined;
  const known = selectable[resource] ?? {};
  const tests = requirements(text).map((part): Matcher<unknown> => {
    const found = /^\s*([^\s,!=]+?)\s*(==|=|!=)(.*)$/.exec(part);
    const field = found?.[1];
    if (found === null || field === undefined) {
      throw failures.badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
    }
    const value = (found[3] ?? "").replace(/\\([\\,=])/g, "$1");
    const absent = field.startsWith("metadata.n") ? "" : extra.includes(field) ? "" : known[field];
    const allowed = field === "metadata.name" || field === "metadata.namespace" || absent !== undefined;
    if (!allowed) {
      throw failures.badRequest(
        Object.keys(known).length > 0 || extra.length > 0
          ? `field label not supported: ${field}`
          : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
      );
    }
    if (field === "metadata.name" && found[2] !== "!=") name = value;
    const path = field.split(".");
    return (object) => {
      const actual = field === "source" ? valueAt(object, "source", "component") : valueAt(object, ...path);
      const shown = actual === undefined || isObject(actual) ? (absent ?? "") : String(actual);
      return found[2] === "!=" ? shown !== value : shown === value;
    };
  });
  return {
    matches: (object) => tests.every((test) => test(object)),
    name,
    byName: name !== undefined && tests.length === 1,
  };
}
