import { z } from "zod";
import type { StoredObject } from "../api.ts";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { between } from "./names.ts";
import { claimSpecShape, claimStatusShape, rawSpec, readPod, typed } from "./shapes.ts";
import { type Simulation, Stages } from "./simulation.ts";

const claims = "/persistentvolumeclaims";
const volumes = "/persistentvolumes";
const protection = "kubernetes.io/pvc-protection";
const component = "persistentvolume-controller";
const isDefaultKey = "storageclass.kubernetes.io/is-default-class";
const storageClass = z.looseObject({
  provisioner: z.string().default("rancher.io/local-path"),
  reclaimPolicy: z.string().default("Delete"),
});

/** Binds claims to volumes that it provisions by their storage class, and takes the volumes away again. */
export function volumeController(simulation: Simulation): Controller {
  const { api, events } = simulation;
  const stages = new Stages(simulation);

  function classOf(name: string | null | undefined): StoredObject | undefined {
    const classes = api.list("storage.k8s.io/storageclasses");
    if (name === "") return undefined;
    return classes.find(({ metadata }) =>
      name === null || name === undefined
        ? metadata.annotations?.[isDefaultKey] === "true"
        : metadata.name === name,
    );
  }

  function isUsed(claim: StoredObject): boolean {
    return api
      .list("/pods", { namespace: claim.metadata.namespace ?? "" })
      .map(readPod)
      .some(
        ({ spec, status }) =>
          status.phase !== "Succeeded" &&
          status.phase !== "Failed" &&
          spec.volumes.some(({ persistentVolumeClaim: used }) => used?.claimName === claim.metadata.name),
      );
  }

  /** A claim that is going away goes once no pod uses it, and its volume after it. */
  function release(claim: StoredObject): number | undefined {
    if (isUsed(claim)) return 500;
    const finalizers = (claim.metadata.finalizers ?? []).filter((finalizer) => finalizer !== protection);
    if (finalizers.length !== (claim.metadata.finalizers ?? []).length) {
      api.update(claims, { ...claim, metadata: { ...claim.metadata, finalizers } });
    }
    return undefined;
  }

  function bind(stored: StoredObject): number | undefined {
    const claim = typed(stored, claimSpecShape, claimStatusShape);
    const { uid, namespace, name } = claim.metadata;
    if (claim.status.phase === "Bound") return undefined;
    const found = classOf(claim.spec.storageClassName);
    if (found === undefined) {
      const wanted = claim.spec.storageClassName;
      const message =
        wanted === null || wanted === undefined || wanted === ""
          ? "no persistent volumes available for this claim and no storage class is set"
          : `storageclass.storage.k8s.io "${wanted}" not found`;
      const reason = wanted ? "ProvisioningFailed" : "FailedBinding";
      if (stages.enters(uid, message)) {
        events.record(claim, wanted ? "Warning" : "Normal", reason, message, component);
      }
      if (claim.status.phase !== "Pending") return 5000;
      api.updateStatus(claims, { ...stored, status: { ...claim.status, phase: "Pending" } });
      return 5000;
    }
    const { provisioner, reclaimPolicy } = storageClass.parse(found);
    if (stages.enters(`${uid}/announce`, "provisioning")) {
      const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
      events.record(claim, "Normal", "ExternalProvisioning", message, component);
    }
    const left = stages.left(uid, "provisioning", between(uid, 300, 900));
    if (left > 0) return left;
    const volume = `pvc-${uid}`;
    const capacity = { storage: claim.spec.resources.requests.storage ?? "1Gi" };
    const created =
      api.get(volumes, undefined, volume) ??
      api.create(volumes, {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: volume, annotations: { "pv.kubernetes.io/provisioned-by": provisioner } },
        spec: {
          accessModes: claim.spec.accessModes,
          capacity,
          claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid },
          hostPath: { path: `/var/lib/sandbox/${volume}`, type: "DirectoryOrCreate" },
          persistentVolumeReclaimPolicy: reclaimPolicy,
          storageClassName: found.metadata.name,
          volumeMode: claim.spec.volumeMode,
        },
      });
    api.updateStatus(volumes, { ...created, status: { phase: "Bound" } });
    const finalizers = [...new Set([...(stored.metadata.finalizers ?? []), protection])];
    const bound = api.update(claims, {
      ...stored,
      metadata: {
        ...stored.metadata,
        finalizers,
        annotations: {
          ...stored.metadata.annotations,
          "pv.kubernetes.io/bind-completed": "yes",
          "pv.kubernetes.io/bound-by-controller": "yes",
          "volume.kubernetes.io/storage-provisioner": provisioner,
        },
      },
      spec: { ...rawSpec(stored), storageClassName: found.metadata.name, volumeName: volume },
    });
    api.updateStatus(claims, {
      ...bound,
      status: { phase: "Bound", accessModes: claim.spec.accessModes, capacity },
    });
    const message = `Successfully provisioned volume ${volume}`;
    events.record(claim, "Normal", "ProvisioningSucceeded", message, provisioner);
    stages.forget(uid);
    return undefined;
  }

  /** Volumes whose claim is gone: deleted, or kept as released. */
  function reclaim(volume: StoredObject): void {
    const { claimRef, persistentVolumeReclaimPolicy } = volumeSpec.parse(volume.spec ?? {});
    if (claimRef === undefined) return;
    const claim = api.get(claims, claimRef.namespace, claimRef.name);
    if (claim?.metadata.uid === claimRef.uid) return;
    if (persistentVolumeReclaimPolicy === "Delete") {
      api.delete(volumes, undefined, volume.metadata.name, { uid: volume.metadata.uid });
    } else api.updateStatus(volumes, { ...volume, status: { phase: "Released" } });
  }

  return {
    name: "volumes",
    resources: [claims, volumes],
    *concerns({ type, resource, object }) {
      if (resource === claims) {
        if (type !== "DELETED") yield keyOf(object);
        else yield `pvc-${object.metadata.uid}`;
      } else if (resource === volumes && type !== "DELETED") yield keyOf(object);
    },
    reconcile(key) {
      const { namespace, name } = parseKey(key);
      if (namespace === undefined) {
        const volume = api.get(volumes, undefined, name);
        if (volume !== undefined && volume.metadata.deletionTimestamp === undefined) reclaim(volume);
        return undefined;
      }
      const claim = api.get(claims, namespace, name);
      if (claim === undefined) return undefined;
      if (claim.metadata.deletionTimestamp !== undefined) return release(claim);
      return bind(claim);
    },
  };
}

const volumeSpec = z.looseObject({
  persistentVolumeReclaimPolicy: z.string().default("Delete"),
  claimRef: z.looseObject({ namespace: z.string(), name: z.string(), uid: z.string().optional() }).optional(),
});
