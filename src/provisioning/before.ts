import { migrationMark } from "../application/migration.ts";
import { fieldManager, migrationAnnotation, releaseAnnotation } from "../application/names.ts";
import { storedSpecSchema } from "../application/schema.ts";
import { isRecord, type KubeObject, type ObjectMeta } from "../cluster/object.ts";
import { ownedFields } from "../cluster/owned-fields.ts";
import { isWrittenWhole } from "./write.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Kinds of which nothing is journaled: a Secret's values are secret, a volume's data is not in its claim nor a database's in
 * its Cluster, and with a PushSecret goes the password that it has put into a store.
 */
const unrecorded = new Set(["Secret", "PersistentVolumeClaim", "Cluster", "PushSecret"]);

/** Adds what exists of the fields that will be written, where it is not there yet. */
function withWritten(base: JsonObject, live: JsonObject, desired: JsonObject): JsonObject {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(desired)) {
    const [known, existing] = [result[key], live[key]];
    if (existing === undefined) continue;
    if (isRecord(value) && isRecord(existing)) {
      result[key] = withWritten(isRecord(known) ? known : {}, existing, value);
    } else if (known === undefined) result[key] = existing;
  }
  return result;
}

/** An object that is written whole as a rollback writes it back: all that a person or a run sets of it. */
function wholeBefore({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject {
  const release = metadata.annotations?.[releaseAnnotation];
  const migration = migrationBefore(metadata.annotations, spec);
  const annotations = {
    ...(release === undefined ? {} : { [releaseAnnotation]: release }),
    ...(migration === undefined ? {} : { [migrationAnnotation]: migration }),
  };
  return {
    apiVersion,
    kind,
    metadata: {
      ...placeOf(metadata),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec,
  };
}

/** What goes back to an earlier spec runs no migration for it: the mark is that of the spec that is written back. */
function migrationBefore(annotations: ObjectMeta["annotations"], spec: unknown): string | undefined {
  const parsed = storedSpecSchema.safeParse(spec);
  return (parsed.success ? migrationMark(parsed.data) : undefined) ?? annotations?.[migrationAnnotation];
}

function placeOf({ name, namespace }: ObjectMeta): ObjectMeta {
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

/**
 * An object as it is before a run changes it, so that applying this brings it back: what the platform has applied,
 * and what is there of the fields the change will write. Undefined for what is never journaled. Pure.
 */
export function beforeChange(live: KubeObject, desired: KubeObject): KubeObject | undefined {
  if (unrecorded.has(live.kind)) return undefined;
  if (isWrittenWhole(live)) return wholeBefore(live);
  const { apiVersion, kind, metadata } = live;
  const owned = ownedFields(live, fieldManager) ?? { apiVersion, kind, metadata: placeOf(metadata) };
  const { metadata: written, ...fields } = withWritten({ ...owned }, { ...live }, { ...desired });
  return {
    ...fields,
    apiVersion,
    kind,
    metadata: { ...(isRecord(written) ? written : {}), ...placeOf(metadata) },
  };
}

/** Fields that the server sets on the spec of a new object, and that another object may have by now. */
const assigned: Readonly<Record<string, readonly string[]>> = {
  Service: ["clusterIP", "clusterIPs", "healthCheckNodePort"],
  Namespace: ["finalizers"],
};

/** Annotations without those that a controller keeps for itself. */
function ownAnnotations(annotations: ObjectMeta["annotations"]): ObjectMeta["annotations"] {
  if (annotations === undefined) return undefined;
  const own = Object.entries(annotations).filter(([key]) => !key.startsWith("deployment.kubernetes.io/"));
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/**
 * An object as it is before a run deletes it, so that applying this makes it again: all of it, but for what the
 * server assigns. Undefined for what cannot be made again. Pure.
 */
export function beforeDeletion(live: KubeObject): KubeObject | undefined {
  if (unrecorded.has(live.kind)) return undefined;
  const { status: _, metadata, spec, ...rest } = live;
  const { labels, ownerReferences, finalizers } = metadata;
  const annotations = ownAnnotations(metadata.annotations);
  const kept = isRecord(spec)
    ? Object.fromEntries(
        Object.entries(spec).filter(
          ([field, value]) => value === "None" || !(assigned[live.kind] ?? []).includes(field),
        ),
      )
    : spec;
  return {
    ...rest,
    metadata: {
      ...placeOf(metadata),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    ...(kept === undefined ? {} : { spec: kept }),
  };
}
