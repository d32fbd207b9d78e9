import type { ResourceKey, StoredObject } from "../api.ts";
import { isTrue } from "./conditions.ts";
import {
  claimSpecShape,
  claimStatusShape,
  conditionsStatusShape,
  readDeployment,
  readPod,
  readReplicaSet,
  serviceSpecShape,
  statefulSetSpecShape,
  statefulSetStatusShape,
  typed,
} from "./shapes.ts";

/** Whether a controller that has been away has nothing to do about the object, as far as it shows itself. */
function isSettled(resource: ResourceKey, object: StoredObject): boolean {
  if (object.metadata.deletionTimestamp !== undefined) return false;
  switch (resource) {
    case "/pods": {
      const { phase, conditions } = readPod(object).status;
      return (
        phase === "Succeeded" || phase === "Failed" || (phase === "Running" && isTrue(conditions, "Ready"))
      );
    }
    case "apps/deployments": {
      const { spec, status, metadata } = readDeployment(object);
      return (
        status.observedGeneration === metadata.generation &&
        status.replicas === spec.replicas &&
        status.updatedReplicas === spec.replicas &&
        status.availableReplicas === spec.replicas
      );
    }
    case "apps/replicasets": {
      const { spec, status, metadata } = readReplicaSet(object);
      return (
        status.observedGeneration === metadata.generation &&
        status.replicas === spec.replicas &&
        status.readyReplicas === spec.replicas
      );
    }
    case "apps/statefulsets": {
      const { spec, status, metadata } = typed(object, statefulSetSpecShape, statefulSetStatusShape);
      return (
        status.observedGeneration === metadata.generation &&
        status.readyReplicas === spec.replicas &&
        status.updatedReplicas === spec.replicas &&
        status.currentRevision === status.updateRevision
      );
    }
    case "batch/jobs":
      return typed(object, conditionsStatusShape, conditionsStatusShape).status.conditions.some(
        ({ type }) => type === "Complete" || type === "Failed",
      );
    case "/persistentvolumeclaims":
      return typed(object, claimSpecShape, claimStatusShape).status.phase === "Bound";
    case "postgresql.cnpg.io/clusters":
      return isTrue(typed(object, conditionsStatusShape, conditionsStatusShape).status.conditions, "Ready");
    case "/services":
    case "/secrets":
    case "/configmaps":
      return true;
    default:
      // The others have a status that their controller writes once it has seen them.
      return object.status !== undefined;
  }
}

/** Finds the namespaces where something is to be done, from one look at each resource. */
export class NamespaceSurvey {
  readonly #dirty = new Set<string>();
  readonly #newestPod = new Map<string, number>();
  readonly #oldestSlice = new Map<string, number>();
  readonly #withEndpoints = new Set<string>();

  look(resource: ResourceKey, objects: readonly StoredObject[]): void {
    for (const object of objects) {
      const namespace = object.metadata.namespace;
      if (namespace === undefined) continue;
      const revision = Number(object.metadata.resourceVersion);
      if (resource === "discovery.k8s.io/endpointslices") {
        const oldest = this.#oldestSlice.get(namespace) ?? Number.POSITIVE_INFINITY;
        this.#oldestSlice.set(namespace, Math.min(oldest, revision));
        continue;
      }
      if (resource === "/pods") {
        this.#newestPod.set(namespace, Math.max(this.#newestPod.get(namespace) ?? 0, revision));
      }
      if (resource === "/services" && typed(object, serviceSpecShape, conditionsStatusShape).spec.selector) {
        this.#withEndpoints.add(namespace);
      }
      if (!isSettled(resource, object)) this.#dirty.add(namespace);
    }
  }

  /** Those with unsettled objects, or endpoints that are older than a pod. */
  dirty(): readonly string[] {
    for (const namespace of this.#withEndpoints) {
      if ((this.#newestPod.get(namespace) ?? 0) > (this.#oldestSlice.get(namespace) ?? 0)) {
        this.#dirty.add(namespace);
      }
    }
    return [...this.#dirty];
  }
}
