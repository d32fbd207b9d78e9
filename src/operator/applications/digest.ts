import { hash } from "node:crypto";
import { labels } from "../../application/names.ts";
import { isRecord, type KubeObject } from "../../cluster/object.ts";
import { replicasOf, withReplicas } from "../../cluster/replicas.ts";

/** Maps whose values are quantities, which the API server writes in a form of its own. */
const quantityMaps = new Set(["requests", "limits", "hard", "default", "defaultRequest"]);

/**
 * Identifies what an object says, so that two can be compared of which only this is kept: the order of keys and keys
 * without a value do not count, nor in which form a quantity is written. Which run made an object does not count
 * either: it keeps that label for life. Nor do a Deployment's replicas ({@link replicasOf}), which may be an autoscaler's, nor
 * what volumes a StatefulSet asked for, which stays as it was made. Pure.
 */
export function contentDigest(object: KubeObject): string {
  const content = replicasOf(object) === undefined ? object : withReplicas(object, undefined);
  return hash("sha1", canonical(content, "", ""), "base64");
}

/** A text of its own for each content: of what is of any length, the length is said first. */
function canonical(value: unknown, key: string, within: string): string {
  if (typeof value === "string") {
    const text = key === "sizeLimit" || quantityMaps.has(within) ? plainQuantity(value) : value;
    return `${text.length}"${text}`;
  }
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) text += `${canonical(item, "", "")},`;
    return `[${text}]`;
  }
  if (!isRecord(value)) return String(value);
  for (const field of Object.keys(value).sort()) {
    const child = value[field];
    if (child === undefined || field === labels.run || field === "volumeClaimTemplates") continue;
    text += `${field.length}:${field}${canonical(child, field, key)},`;
  }
  return `{${text}}`;
}

const quantityForm = /^([+-]?[0-9]*\.?[0-9]*)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$/;
const decimalPrefixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const binaryPrefixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/**
 * A quantity as a number, for comparison: `0.5` and `500m` are the same
 * (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/). What is none stays as it is.
 */
function plainQuantity(text: string): string {
  const [, digits = "", suffix = ""] = quantityForm.exec(text) ?? [];
  if (!/[0-9]/.test(digits)) return text;
  return String(Number((Number(digits) * factor(suffix)).toPrecision(12)));
}

function factor(suffix: string): number {
  if (binaryPrefixes.includes(suffix)) return 1024 ** binaryPrefixes.indexOf(suffix);
  if (decimalPrefixes.includes(suffix)) return 1000 ** (decimalPrefixes.indexOf(suffix) - 3);
  return 10 ** Number(suffix.slice(1));
}
