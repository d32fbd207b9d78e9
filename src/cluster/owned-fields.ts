import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "./object.ts";

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Whether an element of a list is the one that `k:{…}`, `v:…` or `i:…` names. */
function named(path: string, item: unknown, index: number): boolean {
  const [kind, rest] = [path.slice(0, 2), path.slice(2)];
  if (kind === "i:") return index === Number(rest);
  const key = parsed(rest);
  if (kind === "v:") return isDeepStrictEqual(item, key);
  if (kind !== "k:" || !isRecord(key) || !isRecord(item)) return false;
  return Object.entries(key).every(([field, value]) => isDeepStrictEqual(item[field], value));
}

function extracted(value: unknown, fields: Fields): unknown {
  const paths = Object.keys(fields).filter((path) => path !== ".");
  if (paths.length === 0) {
    // `{".": {}}` owns the map or list, and nothing that is in it.
    if (!("." in fields)) return value;
    return Array.isArray(value) ? [] : isRecord(value) ? {} : value;
  }
  const below = (path: string) => {
    const child = fields[path];
    return isRecord(child) ? child : {};
  };
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => {
      const path = paths.find((candidate) => named(candidate, item, index));
      return path === undefined ? [] : [extracted(item, below(path))];
    });
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    paths.flatMap((path) => {
      const field = path.slice(2);
      return path.startsWith("f:") && field in value ? [[field, extracted(value[field], below(path))]] : [];
    }),
  );
}

/**
 * What a field manager has applied of an object, as it would apply it again: the fields that `managedFields`
 * records for its server-side apply, with their values now; as `ExtractInto` of client-go does. Undefined where it
 * has applied nothing. Fields are listed as in
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/ (`f:` field, `k:` list key, `v:` value, `i:` index).
 */
export function ownedFields(object: KubeObject, manager: string): KubeObject | undefined {
  const entry = object.metadata.managedFields
    ?.filter(isRecord)
    .find(
      ({ manager: owner, operation, subresource }) =>
        owner === manager && operation === "Apply" && (subresource === undefined || subresource === ""),
    );
  if (entry === undefined || !isRecord(entry.fieldsV1)) return undefined;
  const { apiVersion, kind, metadata } = object;
  const content = extracted(object, entry.fieldsV1);
  if (!isRecord(content)) return undefined;
  const { name, namespace } = metadata;
  return {
    ...content,
    apiVersion,
    kind,
    metadata: {
      ...(isRecord(content.metadata) ? content.metadata : {}),
      name,
      ...(namespace === undefined ? {} : { namespace }),
    },
  };
}

/** Whether two objects say the same as JSON: the order of keys and keys without a value do not count. */
export function sameContent(one: KubeObject, other: KubeObject): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)));
}
