import { equal, isObject, type JsonObject } from "../json.ts";
import { fieldSchema, resolved, type Schema } from "../schema/schema.ts";
import { emptySet, type FieldSet, isEmpty, union } from "./field-set.ts";

/** How server-side apply treats a value. */
type Shape = "scalar" | "atomic" | "map" | "list" | "set";

/** Without a schema (below preserve-unknown-fields) maps merge and lists are atomic. */
function shapeOf(value: unknown, schema: Schema | undefined): Shape {
  const { "x-kubernetes-map-type": mapType, "x-kubernetes-list-type": listType } =
    schema === undefined ? {} : resolved(schema);
  if (isObject(value)) return mapType === "atomic" ? "atomic" : "map";
  if (Array.isArray(value)) {
    if (listType === "map") return "list";
    return listType === "set" ? "set" : "atomic";
  }
  return "scalar";
}

/** The path element of a list's item; keys left out take the default of their field. */
function elementOf(item: unknown, list: Schema): string {
  const schema = resolved(list);
  if (schema["x-kubernetes-list-type"] === "set") return `v:${JSON.stringify(item)}`;
  const keys: JsonObject = {};
  for (const key of [...(schema["x-kubernetes-list-map-keys"] ?? [])].sort()) {
    const value = isObject(item) ? item[key] : undefined;
    const found = value ?? (schema.items === undefined ? undefined : fieldSchema(schema.items, key)?.default);
    if (found !== undefined) keys[key] = found;
  }
  return `k:${JSON.stringify(keys)}`;
}

const itemSchema = (schema: Schema | undefined): Schema | undefined =>
  schema === undefined ? undefined : resolved(schema).items;

/** Whether a field is named by the schema, in difference to an entry of a map. */
function isNamed(schema: Schema | undefined, field: string): boolean {
  const properties = schema === undefined ? undefined : resolved(schema).properties;
  return properties !== undefined && Object.hasOwn(properties, field);
}

/** The paths that a value sets: what its applier owns. */
export function fieldsOf(value: unknown, schema: Schema | undefined): FieldSet {
  const children = new Map<string, FieldSet>();
  switch (shapeOf(value, schema)) {
    case "scalar":
    case "atomic":
      return { member: true, children };
    case "map":
      if (!isObject(value)) return emptySet;
      for (const [field, inner] of Object.entries(value)) {
        if (inner === undefined) continue;
        const child = fieldsOf(inner, fieldSchema(schema, field));
        const blank = inner === null || (isObject(inner) && Object.keys(inner).length === 0);
        const member = blank || !isNamed(schema, field) || child.member;
        if (member || !isEmpty(child)) children.set(`f:${field}`, { member, children: child.children });
      }
      return { member: false, children };
    case "list":
    case "set":
      if (!Array.isArray(value) || schema === undefined) return emptySet;
      for (const item of value) {
        children.set(elementOf(item, schema), {
          member: true,
          children: fieldsOf(item, itemSchema(schema)).children,
        });
      }
      return { member: false, children };
  }
}

/** `live` with everything that `applied` sets. */
export function merge(live: unknown, applied: unknown, schema: Schema | undefined): unknown {
  const shape = shapeOf(applied, schema);
  if (shape === "map" && isObject(applied) && isObject(live) && shapeOf(live, schema) === "map") {
    const merged: JsonObject = { ...live };
    for (const [field, inner] of Object.entries(applied)) {
      merged[field] = Object.hasOwn(live, field)
        ? merge(live[field], inner, fieldSchema(schema, field))
        : inner;
    }
    return merged;
  }
  if (
    (shape === "list" || shape === "set") &&
    Array.isArray(applied) &&
    Array.isArray(live) &&
    schema !== undefined
  ) {
    return mergeLists(live, applied, schema);
  }
  return applied;
}

/** Applied items keep their order; items that only live has stay before the item they stood before. */
function mergeLists(live: readonly unknown[], applied: readonly unknown[], schema: Schema): unknown[] {
  const items = itemSchema(schema);
  const positions = new Map(live.map((item, index) => [elementOf(item, schema), index]));
  const wanted = new Set(applied.map((item) => elementOf(item, schema)));
  const merged: unknown[] = [];
  const done = new Set<string>();
  let next = 0;
  const takeLive = () => {
    for (; next < live.length; next++) {
      const element = elementOf(live[next], schema);
      if (!wanted.has(element)) merged.push(live[next]);
      else if (!done.has(element)) return;
    }
  };
  for (const item of applied) {
    takeLive();
    const element = elementOf(item, schema);
    const position = positions.get(element);
    merged.push(position === undefined ? item : merge(live[position], item, items));
    done.add(element);
  }
  takeLive();
  return merged;
}

/**
 * `value` without the paths in `removed`; of a removed item or map, what `kept` names below it stays. A map or list
 * that loses its last entry this way becomes null, as on a real API server: built-in types then drop it, custom
 * resources take it for a wrong type unless the field is nullable or has a default.
 */
export function removeFields(
  value: unknown,
  schema: Schema | undefined,
  removed: FieldSet,
  kept: FieldSet,
): unknown {
  switch (shapeOf(value, schema)) {
    case "map": {
      if (!isObject(value)) return value;
      const left: JsonObject = { ...value };
      for (const [element, child] of removed.children) {
        const field = element.slice(2);
        if (!element.startsWith("f:") || !Object.hasOwn(left, field)) continue;
        const result = removeChild(
          left[field],
          fieldSchema(schema, field),
          child,
          kept.children.get(element),
        );
        if (result === undefined) delete left[field];
        else left[field] = result;
      }
      return Object.keys(left).length === 0 && Object.keys(value).length > 0 ? null : left;
    }
    case "list":
    case "set": {
      if (!Array.isArray(value) || schema === undefined) return value;
      const left: unknown[] = [];
      for (const item of value) {
        const element = elementOf(item, schema);
        const child = removed.children.get(element);
        const result =
          child === undefined
            ? item
            : removeChild(item, itemSchema(schema), child, kept.children.get(element));
        if (result !== undefined) left.push(result);
      }
      return left.length === 0 && value.length > 0 ? null : left;
    }
    default:
      return value;
  }
}

function removeChild(
  value: unknown,
  schema: Schema | undefined,
  removed: FieldSet,
  kept: FieldSet | undefined,
): unknown {
  if (removed.member && (kept === undefined || isEmpty(kept))) return undefined;
  return removeFields(value, schema, removed, kept ?? emptySet);
}

/** What changed from one value to the next: paths set or altered, and paths gone. */
export interface Difference {
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

const none: Difference = { changed: emptySet, removed: emptySet };

/** Compares two values of a type. */
export function compare(before: unknown, after: unknown, schema: Schema | undefined): Difference {
  if (before === undefined && after === undefined) return none;
  if (before === undefined) return { changed: asMember(fieldsOf(after, schema), after), removed: emptySet };
  if (after === undefined) return { changed: emptySet, removed: asMember(fieldsOf(before, schema), before) };
  const shape = shapeOf(after, schema);
  if (shape !== shapeOf(before, schema) || shape === "scalar" || shape === "atomic") {
    return equal(before, after)
      ? none
      : { changed: { member: true, children: new Map() }, removed: emptySet };
  }
  const [left, right] = [entriesOf(before, schema), entriesOf(after, schema)];
  const changed = new Map<string, FieldSet>();
  const removed = new Map<string, FieldSet>();
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const inner = element.startsWith("f:") ? fieldSchema(schema, element.slice(2)) : itemSchema(schema);
    const result = compare(left.get(element), right.get(element), inner);
    const mark = !element.startsWith("f:");
    if (!isEmpty(result.changed)) {
      changed.set(element, mark && !left.has(element) ? { ...result.changed, member: true } : result.changed);
    }
    if (!isEmpty(result.removed)) {
      removed.set(
        element,
        mark && !right.has(element) ? { ...result.removed, member: true } : result.removed,
      );
    }
  }
  return { changed: { member: false, children: changed }, removed: { member: false, children: removed } };
}

/** A map or list that came or went as a whole is a member itself. */
function asMember(set: FieldSet, value: unknown): FieldSet {
  return isObject(value) || Array.isArray(value) ? union(set, { member: true, children: new Map() }) : set;
}

function entriesOf(value: unknown, schema: Schema | undefined): ReadonlyMap<string, unknown> {
  if (isObject(value)) return new Map(Object.entries(value).map(([field, inner]) => [`f:${field}`, inner]));
  if (Array.isArray(value) && schema !== undefined) {
    return new Map(value.map((item: unknown) => [elementOf(item, schema), item]));
  }
  return new Map();
}
