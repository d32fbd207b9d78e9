import { isObject, type JsonObject } from "../json.ts";

/**
 * A set of field paths, as `managedFields[].fieldsV1` holds them. A path element is `f:name` (a field), `k:{…}` (an item of
 * an associative list by its keys), `v:…` (a member of a set).
 */
export interface FieldSet {
  /** Whether the path up to here is itself in the set. */
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

export const emptySet: FieldSet = { member: false, children: new Map() };

/** Whether no path is in the set. */
export function isEmpty(set: FieldSet): boolean {
  return !set.member && [...set.children.values()].every(isEmpty);
}

function combine(a: FieldSet, b: FieldSet, keep: (inA: boolean, inB: boolean) => boolean): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const element of new Set([...a.children.keys(), ...b.children.keys()])) {
    const child = combine(a.children.get(element) ?? emptySet, b.children.get(element) ?? emptySet, keep);
    if (!isEmpty(child)) children.set(element, child);
  }
  return { member: keep(a.member, b.member), children };
}

export const union = (a: FieldSet, b: FieldSet): FieldSet => combine(a, b, (inA, inB) => inA || inB);
export const intersection = (a: FieldSet, b: FieldSet): FieldSet => combine(a, b, (inA, inB) => inA && inB);
export const difference = (a: FieldSet, b: FieldSet): FieldSet => combine(a, b, (inA, inB) => inA && !inB);

/** `a` without the paths of `b` and everything below them. */
export function without(a: FieldSet, b: FieldSet): FieldSet {
  if (b.member) return emptySet;
  const children = new Map<string, FieldSet>();
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    const left = other === undefined ? child : without(child, other);
    if (!isEmpty(left)) children.set(element, left);
  }
  return { member: a.member, children };
}

/** The set of one path of field names, and all below it when used with {@link without}. */
export function pathSet(...fields: readonly string[]): FieldSet {
  return fields.reduceRight<FieldSet>(
    (inner, field) => ({ member: false, children: new Map([[`f:${field}`, inner]]) }),
    { member: true, children: new Map() },
  );
}

/** Only the part of a set below these top-level fields. */
export function only(set: FieldSet, ...fields: readonly string[]): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const field of fields) {
    const child = set.children.get(`f:${field}`);
    if (child !== undefined) children.set(`f:${field}`, child);
  }
  return { member: false, children };
}

export function sameSet(a: FieldSet, b: FieldSet): boolean {
  if (a.member !== b.member || a.children.size !== b.children.size) return false;
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other === undefined || !sameSet(child, other)) return false;
  }
  return true;
}

/** The form of `fieldsV1`. */
export function toFieldsV1(set: FieldSet): JsonObject {
  const made: JsonObject = {};
  if (set.member && set.children.size > 0) made["."] = {};
  for (const element of [...set.children.keys()].sort()) {
    const child = set.children.get(element);
    if (child !== undefined) made[element] = toFieldsV1(child);
  }
  return made;
}

/** Reads `fieldsV1`. */
export function fromFieldsV1(fields: unknown, root = true): FieldSet {
  const children = new Map<string, FieldSet>();
  if (!isObject(fields)) return { member: !root, children };
  for (const [element, inner] of Object.entries(fields)) {
    if (element !== ".") children.set(element, fromFieldsV1(inner, false));
  }
  return { member: !root && (children.size === 0 || "." in fields), children };
}

/** Every path as the API server writes it: `.spec.containers[name="a"].image`. */
export function paths(set: FieldSet, prefix = ""): readonly string[] {
  const found = set.member ? [prefix] : [];
  for (const element of [...set.children.keys()].sort()) {
    const child = set.children.get(element);
    if (child !== undefined) found.push(...paths(child, prefix + shownElement(element)));
  }
  return found;
}

function shownElement(element: string): string {
  const text = element.slice(2);
  if (element.startsWith("f:")) return `.${text}`;
  if (element.startsWith("v:")) return `[=${text}]`;
  const keys: unknown = JSON.parse(text);
  const shown = isObject(keys)
    ? Object.entries(keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    : [text];
  return `[${shown.join(",")}]`;
}
