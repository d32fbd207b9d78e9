import { equal, isObject, type JsonObject, listAt, objectAt, textAt } from "../json.ts";
import type { Schema } from "../schema/schema.ts";
import { ApiFailure, type Cause } from "../status.ts";
import {
  difference,
  emptySet,
  type FieldSet,
  fromFieldsV1,
  intersection,
  isEmpty,
  only,
  pathSet,
  paths,
  sameSet,
  toFieldsV1,
  union,
  without,
} from "./field-set.ts";
import { compare, fieldsOf, merge, removeFields } from "./typed.ts";

/** Who writes, as `managedFields` records it. */
export interface Writer {
  readonly manager: string;
  readonly subresource: string | undefined;
  /** RFC 3339, whole seconds. */
  readonly time: string;
}

interface Entry {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string | undefined;
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

function entries(object: unknown): readonly Entry[] {
  return listAt(object, "metadata", "managedFields").flatMap((entry) =>
    isObject(entry)
      ? [
          {
            manager: textAt(entry, "manager") ?? "",
            operation: entry.operation === "Apply" ? "Apply" : "Update",
            apiVersion: textAt(entry, "apiVersion") ?? "",
            subresource: textAt(entry, "subresource"),
            time: textAt(entry, "time"),
            fields: fromFieldsV1(entry.fieldsV1),
          } as const,
        ]
      : [],
  );
}

function encoded(all: readonly Entry[]): JsonObject[] {
  const order = (entry: Entry) =>
    [entry.operation, entry.time ?? "", entry.manager, entry.apiVersion, entry.subresource ?? ""].join(
      "\u0000",
    );
  return all
    .filter((entry) => !isEmpty(entry.fields))
    .toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
    .map((entry) => ({
      manager: entry.manager,
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      ...(entry.time === undefined ? {} : { time: entry.time }),
      fieldsType: "FieldsV1",
      fieldsV1: toFieldsV1(entry.fields),
      ...(entry.subresource === undefined ? {} : { subresource: entry.subresource }),
    }));
}

/** Fields that no manager owns: identity and what the server sets. */
const unowned = [
  pathSet("apiVersion"),
  pathSet("kind"),
  ...[
    "name",
    "namespace",
    "generateName",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
  ].map((field) => pathSet("metadata", field)),
  ...["selfLink", "uid", "generation", "managedFields", "resourceVersion"].map((field) =>
    pathSet("metadata", field),
  ),
].reduce(union, emptySet);

/** Of all paths, those that a request to the main resource or to a subresource can own. */
function ownable(set: FieldSet, subresource: string | undefined, statusApart: boolean): FieldSet {
  const own = without(set, unowned);
  const { member: _, ...rest } = own;
  const plain: FieldSet = { ...rest, member: false };
  const bare = withoutMember(plain, "f:metadata");
  if (subresource === "status") return only(bare, "status");
  if (subresource === "scale") return only(bare, "spec");
  return statusApart ? without(bare, pathSet("status")) : bare;
}

/** `metadata` itself belongs to nobody, only its fields. */
function withoutMember(set: FieldSet, element: string): FieldSet {
  const child = set.children.get(element);
  if (child === undefined) return set;
  const children = new Map(set.children);
  const bare = { ...child, member: false };
  if (isEmpty(bare)) children.delete(element);
  else children.set(element, bare);
  return { ...set, children };
}

const sameEntry = (a: Entry, b: Pick<Entry, "manager" | "operation" | "apiVersion" | "subresource">) =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.apiVersion === b.apiVersion &&
  a.subresource === b.subresource;

/**
 * `managedFields` after an update (POST, PUT, merge or JSON patch): the writer owns what it changed, and takes it
 * from everyone else.
 */
export function managedAfterUpdate(
  before: JsonObject | undefined,
  after: JsonObject,
  schema: Schema,
  writer: Writer,
  statusApart: boolean,
): JsonObject[] {
  const mine = {
    manager: writer.manager,
    operation: "Update",
    apiVersion: textAt(after, "apiVersion") ?? "",
    subresource: writer.subresource,
  } as const;
  // A client that sends `managedFields: []` or `[{}]` resets ownership; anything else it sends is ignored.
  const sent = after.metadata;
  const reset =
    isObject(sent) &&
    Array.isArray(sent.managedFields) &&
    sent.managedFields.every((entry) => equal(entry, {}));
  const known = reset && before !== undefined ? [] : entries(before);
  const { changed, removed } = compare(before ?? {}, after, schema);
  const taken = ownable(changed, writer.subresource, statusApart);
  const gone = without(removed, unowned);
  const others = known.map((entry) => {
    const fields = difference(without(entry.fields, gone), sameEntry(entry, mine) ? emptySet : taken);
    return { ...entry, fields };
  });
  const own = others.find((entry) => sameEntry(entry, mine));
  const fields = union(own?.fields ?? emptySet, taken);
  const unchanged = isEmpty(taken) && isEmpty(gone);
  return encoded([
    ...others.filter((entry) => !sameEntry(entry, mine)),
    { ...mine, fields, time: unchanged ? (own?.time ?? writer.time) : writer.time },
  ]);
}

/**
 * Server-side apply: the object after it, with its `managedFields`.
 * @param live the stored object, or a bare one with apiVersion, kind and metadata when it is to be created.
 * @throws ApiFailure 409 with a cause a field when other managers own what it changes, unless `force`.
 */
export function applyConfiguration(
  live: JsonObject,
  applied: JsonObject,
  schema: Schema,
  writer: Writer,
  { force, statusApart }: { readonly force: boolean; readonly statusApart: boolean },
): JsonObject {
  const mine = {
    manager: writer.manager,
    operation: "Apply",
    apiVersion: textAt(applied, "apiVersion") ?? "",
    subresource: writer.subresource,
  } as const;
  const known = entries(live);
  const own = known.find((entry) => sameEntry(entry, mine));
  const others = known.filter((entry) => !sameEntry(entry, mine));
  const set = ownable(fieldsOf(applied, schema), writer.subresource, statusApart);
  const merged = merge(live, applied, schema);
  const owned = others.reduce((all, entry) => union(all, entry.fields), set);
  const dropped = own === undefined ? emptySet : difference(own.fields, owned);
  const pruned = isEmpty(dropped) ? merged : removeFields(merged, schema, dropped, owned);
  const next = isObject(pruned) ? pruned : {};
  const { changed, removed } = compare(live, next, schema);
  const altered = ownable(changed, writer.subresource, statusApart);

  const conflicts = others.flatMap((entry) => {
    const fields = intersection(entry.fields, altered);
    return isEmpty(fields) ? [] : [{ entry, fields }];
  });
  if (conflicts.length > 0 && !force) throw conflictFailure(conflicts);
  const gone = without(removed, unowned);
  const left = others.map((entry) => ({
    ...entry,
    fields: difference(without(entry.fields, gone), altered),
  }));
  const same = own !== undefined && sameSet(own.fields, set) && isEmpty(altered) && isEmpty(gone);
  const managedFields = encoded([...left, { ...mine, fields: set, time: same ? own.time : writer.time }]);
  return { ...next, metadata: { ...objectAt(next, "metadata"), managedFields } };
}

function conflictFailure(
  conflicts: readonly { readonly entry: Entry; readonly fields: FieldSet }[],
): ApiFailure {
  const causes: Cause[] = conflicts.flatMap(({ entry, fields }) =>
    paths(fields).map((field) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${shownManager(entry)}`,
      field,
    })),
  );
  const byManager = conflicts.map(({ entry, fields }) => {
    const found = paths(fields);
    return found.length === 1
      ? `conflict with ${shownManager(entry)}: ${found[0]}`
      : `conflicts with ${shownManager(entry)}:\n${found.map((path) => `- ${path}`).join("\n")}`;
  });
  const count = `${causes.length} conflict${causes.length === 1 ? "" : "s"}`;
  return new ApiFailure(409, "Conflict", `Apply failed with ${count}: ${byManager.join("\n")}`, { causes });
}

function shownManager(entry: Entry): string {
  const name =
    entry.subresource === undefined
      ? JSON.stringify(entry.manager)
      : `${JSON.stringify(entry.manager)} with subresource ${JSON.stringify(entry.subresource)}`;
  if (entry.operation === "Apply") return name;
  return `${name} using ${entry.apiVersion}${entry.time === undefined ? "" : ` at ${entry.time}`}`;
}
