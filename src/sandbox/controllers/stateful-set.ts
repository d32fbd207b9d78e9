import type { StoredObject } from "../api.ts";
import { ApiFailure } from "../status.ts";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { canonical, templateHash } from "./names.ts";
import { controllerKey, createPod, isReady, podsOf } from "./pods.ts";
import { type Pod, statefulSetSpecShape, statefulSetStatusShape, type Typed, typed } from "./shapes.ts";
import type { Simulation } from "./simulation.ts";

type StatefulSet = Typed<
  ReturnType<typeof statefulSetSpecShape.parse>,
  ReturnType<typeof statefulSetStatusShape.parse>
>;
const component = "statefulset-controller";
const revisionLabel = "controller-revision-hash";
const indexLabel = "apps.kubernetes.io/pod-index";

/** Pods with names that stay, made and updated in order, each with its own volume claims. */
export function statefulSetController(simulation: Simulation): Controller {
  const { api, events } = simulation;

  /** Claims outlive the pods and the StatefulSet, as `persistentVolumeClaimRetentionPolicy: Retain` says. */
  function claim(set: StatefulSet, pod: string): void {
    for (const template of set.spec.volumeClaimTemplates) {
      const name = `${template.metadata.name}-${pod}`;
      if (api.get("/persistentvolumeclaims", set.metadata.namespace, name) !== undefined) continue;
      api.create("/persistentvolumeclaims", {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: {
          name,
          namespace: set.metadata.namespace,
          labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
          ...(template.metadata.annotations === undefined
            ? {}
            : { annotations: template.metadata.annotations }),
        },
        spec: template.spec,
      });
      const message = `Create Claim ${name} Pod ${pod} in StatefulSet ${set.metadata.name} success`;
      events.record(set, "Normal", "SuccessfulCreate", message, component);
    }
  }

  /** Whether it could be made. */
  function make(set: StatefulSet, ordinal: number, revision: string): boolean {
    const name = `${set.metadata.name}-${ordinal}`;
    try {
      claim(set, name);
      const volumes = listed(set.spec.template.spec.volumes);
      const claims = set.spec.volumeClaimTemplates.map(({ metadata }) => ({
        name: metadata.name,
        persistentVolumeClaim: { claimName: `${metadata.name}-${name}` },
      }));
      createPod(api, set, set.spec.template, {
        name,
        generateName: `${set.metadata.name}-`,
        labels: {
          [indexLabel]: String(ordinal),
          [revisionLabel]: revision,
          "statefulset.kubernetes.io/pod-name": name,
        },
        spec: { hostname: name, subdomain: set.spec.serviceName, volumes: [...volumes, ...claims] },
      });
      const message = `Create Pod ${name} in StatefulSet ${set.metadata.name} successful`;
      events.record(set, "Normal", "SuccessfulCreate", message, component);
      return true;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      const message = `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${error.message}`;
      events.record(set, "Warning", "FailedCreate", message, component);
      return false;
    }
  }

  function remove(set: StatefulSet, pod: Pod): void {
    if (pod.metadata.deletionTimestamp !== undefined) return;
    api.delete("/pods", pod.metadata.namespace, pod.metadata.name, { uid: pod.metadata.uid });
    const message = `Delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`;
    events.record(set, "Normal", "SuccessfulDelete", message, component);
  }

  /** One move; false when a pod was refused. */
  function move(set: StatefulSet, pods: ReadonlyMap<number, Pod>, revision: string): boolean {
    const { replicas, podManagementPolicy, updateStrategy } = set.spec;
    const ordered = podManagementPolicy !== "Parallel";
    for (let ordinal = 0; ordinal < replicas; ordinal++) {
      const pod = pods.get(ordinal);
      if (pod === undefined) {
        if (!make(set, ordinal, revision)) return false;
        if (ordered) return true;
      } else if (pod.status.phase === "Failed" || pod.status.phase === "Succeeded") {
        remove(set, pod);
        if (ordered) return true;
      } else if (ordered && !isHealthy(pod)) return true;
    }
    const condemned = [...pods].filter(([ordinal]) => ordinal >= replicas).sort(([a], [b]) => b - a);
    for (const [, pod] of condemned) {
      remove(set, pod);
      if (ordered) return true;
    }
    if (updateStrategy.type === "OnDelete") return true;
    const partition = updateStrategy.rollingUpdate?.partition ?? 0;
    for (let ordinal = replicas - 1; ordinal >= partition; ordinal--) {
      const pod = pods.get(ordinal);
      if (pod === undefined) return true;
      if (pod.metadata.labels?.[revisionLabel] !== revision) {
        remove(set, pod);
        return true;
      }
      if (!isHealthy(pod)) return true;
    }
    return true;
  }

  function report(stored: StoredObject, set: StatefulSet, revision: string): void {
    const pods = podsOf(api, set);
    const ready = pods.filter(isReady).length;
    const updated = pods.filter(({ metadata }) => metadata.labels?.[revisionLabel] === revision).length;
    const done = updated === set.spec.replicas && pods.length === updated && ready === updated;
    const current = done ? revision : (set.status.currentRevision ?? revision);
    const ofCurrent = pods.filter(({ metadata }) => metadata.labels?.[revisionLabel] === current).length;
    api.updateStatus("apps/statefulsets", {
      ...stored,
      status: {
        observedGeneration: set.metadata.generation ?? 1,
        replicas: pods.length,
        ...(ready > 0 ? { readyReplicas: ready } : {}),
        availableReplicas: ready,
        ...(ofCurrent > 0 ? { currentReplicas: ofCurrent } : {}),
        ...(updated > 0 ? { updatedReplicas: updated } : {}),
        currentRevision: current,
        updateRevision: revision,
        collisionCount: 0,
      },
    });
  }

  return {
    name: "statefulsets",
    resources: ["apps/statefulsets", "/pods"],
    *concerns({ resource, object }) {
      if (resource === "apps/statefulsets") yield keyOf(object);
      else if (resource === "/pods") {
        const key = controllerKey(object, "StatefulSet");
        if (key !== undefined) yield key;
      }
    },
    reconcile(key) {
      const { namespace, name } = parseKey(key);
      const stored = api.get("apps/statefulsets", namespace, name);
      if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
      const set = typed(stored, statefulSetSpecShape, statefulSetStatusShape);
      const revision = `${name}-${templateHash(canonical(set.spec.template))}`;
      const pods = new Map(podsOf(api, set).map((pod) => [ordinalOf(set, pod), pod]));
      const made = move(set, pods, revision);
      report(stored, set, revision);
      return made ? undefined : 5000;
    },
  };
}

function ordinalOf(set: StoredObject, pod: Pod): number {
  return Number(pod.metadata.name.slice(set.metadata.name.length + 1));
}

function isHealthy(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && isReady(pod);
}

function listed(volumes: unknown): readonly unknown[] {
  return Array.isArray(volumes) ? volumes : [];
}
