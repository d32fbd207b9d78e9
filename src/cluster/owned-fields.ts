import { isDeepStrictEqual } from "node:util";
import { isRecord, type KubeObject } from "./object.ts";

type Fields = Readonly<Record<string, unknown>>;

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Which elements of a list a path names: `k:{…}`, `v:…` or `i:…`. Read once for a list: lists of thousands of objects pass here. */
type Names = (item: unknown, index: number) => boolean;

function namesOf(path: string): Names {
  const [kind, rest] = [path.slice(0, 2), path.slice(2)];
  if (kind === "i:") return (_, index) => index === Number(rest);
  const key = parsed(rest);
  if (kind === "v:") return (item) => same(item, key);
  if (kind !== "k:" || !isRecord(key)) return () => false;
  const fields = Object.entries(key);
  return (item) => isRecord(item) && fields.every(([field, value]) => same(item[field], value));
}

function same(one: unknown, other: unknown): boolean {
  return one === other || (typeof one === "object" && isDeepStrictEqual(one, other));
}

function extracted(value: unknown, fields: Fields): unknown {
  const paths: string[] = [];
  for (const path in fields) if (path !== ".") paths.push(path);
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
    const named = paths.map((path) => ({ path, names: namesOf(path) }));
    return value.flatMap((item: unknown, index) => {
      const found = named.find(({ names }) => names(item, index));
      return found === undefined ? [] : [extracted(item, below(found.path))];
    });
  }
  if (!isRecord(value)) return value;
  const owned: Record<string, unknown> = {};
  for (const path of paths) {
    const field = path.slice(2);
    if (path.startsWith("f:") && field in value) owned[field] = extracted(value[field], below(path));
  }
  return owned;
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
