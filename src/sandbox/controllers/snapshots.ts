import { z } from "zod";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { between } from "./names.ts";
import { typed } from "./shapes.ts";
import { nowText, type Simulation, Stages } from "./simulation.ts";

const group = "snapshot.storage.k8s.io";
const snapshots = `${group}/volumesnapshots` as const;
const contents = `${group}/volumesnapshotcontents` as const;
const classes = `${group}/volumesnapshotclasses` as const;
const claims = "/persistentvolumeclaims";
const component = "snapshot-controller";

const snapshotSpec = z.looseObject({
  volumeSnapshotClassName: z.string().optional(),
  source: z.looseObject({ persistentVolumeClaimName: z.string().default("") }).prefault({}),
});
const snapshotStatus = z.looseObject({ readyToUse: z.boolean().default(false) });
const snapshotClass = z.looseObject({
  driver: z.string().default(""),
  deletionPolicy: z.enum(["Delete", "Retain"]).default("Delete"),
});
const contentSpec = z.looseObject({
  deletionPolicy: z.enum(["Delete", "Retain"]).default("Delete"),
  volumeSnapshotRef: z.looseObject({
    namespace: z.string().default(""),
    name: z.string().default(""),
    uid: z.string().default(""),
  }),
});
const claimSpec = z.looseObject({
  volumeName: z.string().default(""),
  resources: z
    .looseObject({ requests: z.looseObject({ storage: z.string().default("1Gi") }).prefault({}) })
    .prefault({}),
});

/**
 * Takes VolumeSnapshots as the snapshot controller and a CSI driver would. No data is copied. A content goes with
 * its snapshot unless its deletionPolicy is Retain.
 */
export function snapshotController(simulation: Simulation): Controller {
  const { api, events } = simulation;
  const stages = new Stages(simulation);

  function take(key: string): number | undefined {
    const { namespace, name } = parseKey(key);
    const stored = api.get(snapshots, namespace, name);
    if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
    const { spec, status, metadata } = typed(stored, snapshotSpec, snapshotStatus);
    if (status.readyToUse) return undefined;
    const claim = api.get(claims, namespace, spec.source.persistentVolumeClaimName);
    const className = spec.volumeSnapshotClassName ?? "";
    const found = api.get(classes, undefined, className);
    if (claim === undefined || found === undefined) {
      const missing =
        claim === undefined
          ? `persistentvolumeclaim "${spec.source.persistentVolumeClaimName}" not found`
          : `volumesnapshotclass.snapshot.storage.k8s.io "${className}" not found`;
      if (stages.enters(metadata.uid, missing)) {
        events.record(stored, "Warning", "SnapshotContentMissing", missing, component);
        const error = { message: missing, time: nowText(simulation) };
        api.updateStatus(snapshots, { ...stored, status: { ...status, readyToUse: false, error } });
      }
      return 5000;
    }
    const left = stages.left(metadata.uid, "taking", between(metadata.uid, 800, 2000));
    if (left > 0) return left;
    const { driver, deletionPolicy } = snapshotClass.parse(found);
    const { volumeName, resources } = claimSpec.parse(claim.spec ?? {});
    const content = `snapcontent-${metadata.uid}`;
    const snapshotHandle = `simulated-${metadata.uid}`;
    const created =
      api.get(contents, undefined, content) ??
      api.create(contents, {
        apiVersion: `${group}/v1`,
        kind: "VolumeSnapshotContent",
        metadata: { name: content },
        spec: {
          deletionPolicy,
          driver,
          source: { volumeHandle: volumeName },
          volumeSnapshotClassName: className,
          volumeSnapshotRef: {
            apiVersion: `${group}/v1`,
            kind: "VolumeSnapshot",
            namespace,
            name,
            uid: metadata.uid,
          },
        },
      });
    api.updateStatus(contents, { ...created, status: { readyToUse: true, snapshotHandle } });
    api.updateStatus(snapshots, {
      ...stored,
      status: {
        boundVolumeSnapshotContentName: content,
        creationTime: nowText(simulation),
        readyToUse: true,
        restoreSize: resources.requests.storage,
      },
    });
    events.record(
      stored,
      "Normal",
      "SnapshotReady",
      `Snapshot ${namespace}/${name} is ready to use.`,
      component,
    );
    stages.forget(metadata.uid);
    return undefined;
  }

  /** Contents whose snapshot is gone. */
  function release(name: string): undefined {
    const content = api.get(contents, undefined, name);
    if (content === undefined) return undefined;
    const { deletionPolicy, volumeSnapshotRef } = contentSpec.parse(content.spec ?? {});
    const snapshot = api.get(snapshots, volumeSnapshotRef.namespace, volumeSnapshotRef.name);
    if (snapshot?.metadata.uid === volumeSnapshotRef.uid || deletionPolicy === "Retain") return undefined;
    api.delete(contents, undefined, name, { uid: content.metadata.uid });
    return undefined;
  }

  return {
    name: "snapshots",
    resources: [snapshots, contents],
    *concerns({ type, resource, object }) {
      if (resource === contents) {
        if (type !== "DELETED") yield keyOf(object);
      } else if (resource === snapshots) {
        if (type !== "DELETED") yield keyOf(object);
        else yield `snapcontent-${object.metadata.uid}`;
      }
    },
    reconcile(key) {
      return parseKey(key).namespace === undefined ? release(key) : take(key);
    },
  };
}
