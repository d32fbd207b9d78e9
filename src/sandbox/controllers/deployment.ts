import type { StoredObject } from "../api.ts";
import { Deadlines } from "./deadlines.ts";
import { deploymentStatus } from "./deployment-status.ts";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { canonical, childName, templateHash } from "./names.ts";
import { controlledBy, controllerKey, isOwnedBy, podsOf } from "./pods.ts";
import { newSetReplicas, rollingLimits, rollingScalings, type Scaling } from "./rolling.ts";
import { type Deployment, type ReplicaSet, rawSpec, readDeployment, readReplicaSet } from "./shapes.ts";
import { nowText, type Simulation } from "./simulation.ts";

const component = "deployment-controller";
const revisionKey = "deployment.kubernetes.io/revision";
const hashKey = "pod-template-hash";

/** Rolls Deployments out through ReplicaSets. */
export function deploymentController(simulation: Simulation): Controller {
  const { api, events } = simulation;
  const progress = new Deadlines(simulation);

  function setsOf(deployment: StoredObject): ReplicaSet[] {
    return api
      .list("apps/replicasets", { namespace: deployment.metadata.namespace ?? "" })
      .filter((set) => isOwnedBy(set, deployment))
      .map(readReplicaSet)
      .sort((a, b) => revisionOf(a) - revisionOf(b));
  }

  function scaleTo(deployment: Deployment, { set, to }: Scaling): void {
    const stored = api.get("apps/replicasets", set.metadata.namespace, set.metadata.name);
    if (stored === undefined) return;
    const { surge } = rollingLimits(deployment);
    const annotations = {
      ...stored.metadata.annotations,
      "deployment.kubernetes.io/desired-replicas": String(deployment.spec.replicas),
      "deployment.kubernetes.io/max-replicas": String(deployment.spec.replicas + surge),
    };
    api.update("apps/replicasets", {
      ...stored,
      metadata: { ...stored.metadata, annotations },
      spec: { ...rawSpec(stored), replicas: to },
    });
    scaled(deployment, set.metadata.name, set.spec.replicas, to);
  }

  function scaled(deployment: Deployment, set: string, from: number, to: number): void {
    if (from === to) return;
    const direction = to > from ? "up" : "down";
    const message = `Scaled ${direction} replica set ${set} from ${from} to ${to}`;
    events.record(deployment, "Normal", "ScalingReplicaSet", message, component);
  }

  function createSet(deployment: Deployment, old: readonly ReplicaSet[], revision: number): void {
    const { template, selector } = deployment.spec;
    const hash = templateHash(template);
    const total = old.reduce((sum, set) => sum + set.spec.replicas, 0);
    const replicas = newSetReplicas(deployment, 0, total);
    const name = childName(deployment.metadata.name, hash);
    const labels = { ...template.metadata.labels, [hashKey]: hash };
    api.create("apps/replicasets", {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: {
        name,
        namespace: deployment.metadata.namespace,
        labels,
        annotations: {
          "deployment.kubernetes.io/desired-replicas": String(deployment.spec.replicas),
          "deployment.kubernetes.io/max-replicas": String(
            deployment.spec.replicas + rollingLimits(deployment).surge,
          ),
          [revisionKey]: String(revision),
        },
        ownerReferences: [controlledBy(deployment)],
      },
      spec: {
        replicas,
        ...(deployment.spec.minReadySeconds > 0 ? { minReadySeconds: deployment.spec.minReadySeconds } : {}),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashKey]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    });
    scaled(deployment, name, 0, replicas);
  }

  /** Brings the newest ReplicaSet's revision up to date, and the Deployment's with it. */
  function number(stored: StoredObject, set: ReplicaSet | undefined, revision: number): void {
    if (set !== undefined && revisionOf(set) < revision) {
      const fresh = api.get("apps/replicasets", set.metadata.namespace, set.metadata.name);
      if (fresh !== undefined) api.update("apps/replicasets", annotated(fresh, revision));
    }
    if (stored.metadata.annotations?.[revisionKey] !== String(revision)) {
      const fresh = api.get("apps/deployments", stored.metadata.namespace, stored.metadata.name);
      if (fresh !== undefined) api.update("apps/deployments", annotated(fresh, revision));
    }
  }

  /** One move of the rollout. */
  function roll(stored: StoredObject, deployment: Deployment, sets: readonly ReplicaSet[]): void {
    const current = newest(deployment, sets);
    const old = sets.filter((set) => set !== current);
    const highest = Math.max(0, ...old.map(revisionOf));
    const revision =
      current !== undefined && revisionOf(current) > highest ? revisionOf(current) : highest + 1;
    const running = old.filter((set) => set.spec.replicas > 0);
    if (deployment.spec.paused === true) {
      for (const set of current === undefined ? [] : [current]) {
        if (running.length === 0 && set.spec.replicas !== deployment.spec.replicas) {
          scaleTo(deployment, { set, to: deployment.spec.replicas });
        }
      }
      return;
    }
    if (deployment.spec.strategy.type === "Recreate") {
      for (const set of running) scaleTo(deployment, { set, to: 0 });
      const gone = old.every((set) => set.spec.replicas === 0 && podsOf(api, set).length === 0);
      if (!gone) return;
    }
    if (current === undefined) createSet(deployment, old, revision);
    else {
      const scalings: readonly Scaling[] =
        current.spec.replicas > deployment.spec.replicas
          ? [{ set: current, to: deployment.spec.replicas }]
          : rollingScalings(deployment, current, running);
      for (const scaling of scalings) {
        if (scaling.to !== scaling.set.spec.replicas) scaleTo(deployment, scaling);
      }
    }
    number(stored, current, revision);
  }

  function forgetHistory(deployment: Deployment, sets: readonly ReplicaSet[]): void {
    const current = newest(deployment, sets);
    const idle = sets.filter(
      (set) => set !== current && set.spec.replicas === 0 && set.status.replicas === 0,
    );
    for (const set of idle.slice(0, Math.max(0, idle.length - deployment.spec.revisionHistoryLimit))) {
      api.delete("apps/replicasets", set.metadata.namespace, set.metadata.name, { uid: set.metadata.uid });
    }
  }

  return {
    name: "deployments",
    resources: ["apps/deployments", "apps/replicasets"],
    *concerns({ resource, object }) {
      if (resource === "apps/deployments") yield keyOf(object);
      else if (resource === "apps/replicasets") {
        const key = controllerKey(object, "Deployment");
        if (key !== undefined) yield key;
      }
    },
    reconcile(key) {
      const { namespace, name } = parseKey(key);
      const stored = api.get("apps/deployments", namespace, name);
      if (stored === undefined) {
        progress.forget(key);
        return undefined;
      }
      const deployment = readDeployment(stored);
      if (deployment.metadata.deletionTimestamp !== undefined) return undefined;
      roll(stored, deployment, setsOf(deployment));
      const sets = setsOf(deployment);
      forgetHistory(deployment, sets);

      const stage = canonical([
        deployment.metadata.generation,
        ...sets.map(({ metadata, status }) => [metadata.name, status.replicas, status.availableReplicas]),
      ]);
      const deadline = progress.look(key, stage, deployment.spec.progressDeadlineSeconds * 1000);
      const fresh = api.get("apps/deployments", namespace, name) ?? stored;
      const { status, complete } = deploymentStatus(
        deployment,
        newest(deployment, sets),
        sets,
        deadline.over,
        nowText(simulation),
      );
      api.updateStatus("apps/deployments", { ...fresh, status });
      return complete || deadline.over ? undefined : deadline.again;
    },
  };
}

function revisionOf(set: StoredObject): number {
  return Number(set.metadata.annotations?.[revisionKey] ?? 0);
}

function annotated(object: StoredObject, revision: number): StoredObject {
  const annotations = { ...object.metadata.annotations, [revisionKey]: String(revision) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** The ReplicaSet of the Deployment's present template. */
function newest(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const wanted = canonical(deployment.spec.template);
  return sets.find((set) => {
    const { [hashKey]: _hash, ...labels } = set.spec.template.metadata.labels;
    return (
      canonical({ ...set.spec.template, metadata: { ...set.spec.template.metadata, labels } }) === wanted
    );
  });
}
