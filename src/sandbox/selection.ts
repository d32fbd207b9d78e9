import { isObject, objectAt } from "./json.ts";
import type { ResourceInfo } from "./resources.ts";
import { fieldSelector, labelSelector } from "./selectors.ts";

/** Which objects of a resource a list or watch is about. */
export interface Selection {
  readonly namespace: string | undefined;
  readonly labels: ((labels: Readonly<Record<string, unknown>>) => boolean) | undefined;
  readonly fields: ((object: unknown) => boolean) | undefined;
  /** The one name that the fields leave; undefined: more than one. */
  readonly name: string | undefined;
  /** Whether a key alone tells what is selected. */
  readonly byKey: boolean;
}

/** Reads `labelSelector` and `fieldSelector`; a name in the URL selects that one object. */
export function selectionOf(
  resource: ResourceInfo,
  namespace: string | undefined,
  query: URLSearchParams,
  name?: string,
): Selection {
  const given = query.get("fieldSelector");
  const byName = name === undefined ? given : [`metadata.name=${name}`, given].filter(Boolean).join(",");
  const fields = fieldSelector(resource.id, byName, resource.custom?.selectableFields ?? []);
  const labels = labelSelector(query.get("labelSelector"));
  return {
    namespace: resource.namespaced ? namespace : undefined,
    labels,
    fields: fields?.matches,
    name: fields?.name,
    byKey: labels === undefined && (fields === undefined || fields.byName),
  };
}

/** Whether what is stored under a key can be in the selection, as far as the key tells: reading it costs more. */
export function mayBeSelected({ namespace, name }: Selection, key: string): boolean {
  if (namespace !== undefined && !key.startsWith(`${namespace}/`)) return false;
  return name === undefined || key.slice(key.lastIndexOf("/") + 1) === name;
}

/** Whether an object is in the selection. */
export function isSelected(selection: Selection, object: unknown): boolean {
  const metadata = objectAt(object, "metadata");
  if (selection.namespace !== undefined && metadata?.namespace !== selection.namespace) return false;
  const labels = metadata?.labels;
  if (selection.labels !== undefined && !selection.labels(isObject(labels) ? labels : {})) return false;
  return selection.fields === undefined || selection.fields(object);
}
