import { ApiFailure } from "../status.ts";
import { withCondition, withoutCondition } from "./conditions.ts";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { suffix } from "./names.ts";
import { controllerKey, createPod, isActive, isReady, podsOf, readyForMs } from "./pods.ts";
import { type Pod, type ReplicaSet, readReplicaSet } from "./shapes.ts";
import { nowText, type Simulation, Stages } from "./simulation.ts";

const component = "replicaset-controller";
/** Pods made or removed in one look; the rest follows in the next. */
const burst = 50;
/** After a refusal: 5 s, doubled each time, at most five minutes. */
const refusalMs = (times: number) => Math.min(300_000, 5000 * 2 ** (times - 1));

/** Keeps as many pods as the ReplicaSet wants. */
export function replicaSetController(simulation: Simulation): Controller {
  const { api, clock, events, random, speed } = simulation;
  const refusals = new Stages(simulation);

  /** Simulated milliseconds until pods may be tried again; each refusal names another pod, so it must not wake us. */
  function holdOff(key: string): number {
    const times = refusals.count(key);
    return times === 0 ? 0 : refusals.left(key, String(times), refusalMs(times));
  }

  /** Why pods cannot be made, when they cannot. */
  function scale(set: ReplicaSet, active: readonly Pod[], held: boolean): string | undefined {
    const missing = set.spec.replicas - active.length;
    if (missing > 0 && held) {
      return set.status.conditions.find(({ type }) => type === "ReplicaFailure")?.message ?? "";
    }
    for (let i = 0; i < Math.min(missing, burst); i++) {
      const generateName = `${set.metadata.name}-`;
      const name = `${generateName}${suffix(random)}`;
      try {
        createPod(api, set, set.spec.template, { name, generateName });
        events.record(set, "Normal", "SuccessfulCreate", `Created pod: ${name}`, component);
      } catch (error) {
        if (!(error instanceof ApiFailure)) throw error;
        if (error.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating")) return undefined;
        events.record(set, "Warning", "FailedCreate", `Error creating: ${error.message}`, component);
        return error.message;
      }
    }
    for (const pod of surplus(active, -missing).slice(0, burst)) {
      api.delete("/pods", pod.metadata.namespace, pod.metadata.name, { uid: pod.metadata.uid });
      events.record(set, "Normal", "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`, component);
    }
    return undefined;
  }

  /** For each ready pod that has not been so for `minReadySeconds`: the simulated milliseconds that are missing. */
  function untilAvailable(set: ReplicaSet, active: readonly Pod[]): readonly number[] {
    const wanted = set.spec.minReadySeconds * 1000;
    return active
      .map((pod) => readyForMs(pod, clock.now()))
      .filter((ready) => ready !== undefined)
      .map((ready) => Math.ceil(wanted - ready * speed))
      .filter((left) => left > 0);
  }

  return {
    name: "replicasets",
    resources: ["apps/replicasets", "/pods"],
    *concerns({ type, resource, object }) {
      if (resource === "apps/replicasets") {
        if (type === "DELETED") refusals.forget(keyOf(object));
        yield keyOf(object);
      } else if (resource === "/pods") {
        const key = controllerKey(object, "ReplicaSet");
        if (key !== undefined) yield key;
      }
    },
    reconcile(key) {
      const { namespace, name } = parseKey(key);
      const stored = api.get("apps/replicasets", namespace, name);
      if (stored === undefined) return undefined;
      const set = readReplicaSet(stored);
      const held = holdOff(key) > 0;
      const refusal =
        set.metadata.deletionTimestamp === undefined
          ? scale(set, podsOf(api, set).filter(isActive), held)
          : undefined;
      if (refusal === undefined) refusals.forget(key);
      else if (!held) refusals.increment(key);
      const pods = podsOf(api, set);
      const active = pods.filter(isActive);
      const ready = active.filter(isReady).length;
      const unproven = untilAvailable(set, active);
      const conditions =
        refusal === undefined
          ? withoutCondition(set.status.conditions, "ReplicaFailure")
          : withCondition(
              set.status.conditions,
              { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: refusal },
              nowText(simulation),
            );
      api.updateStatus("apps/replicasets", {
        ...stored,
        status: {
          replicas: active.length,
          ...(active.length > 0 ? { fullyLabeledReplicas: active.length } : {}),
          ...(ready > 0 ? { readyReplicas: ready } : {}),
          ...(ready > unproven.length ? { availableReplicas: ready - unproven.length } : {}),
          terminatingReplicas: pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined).length,
          observedGeneration: set.metadata.generation ?? 1,
          ...(conditions.length > 0 ? { conditions } : {}),
        },
      });
      if (refusal !== undefined) return Math.max(1, holdOff(key));
      if (unproven.length > 0) return Math.min(...unproven);
      const wanted = set.metadata.deletionTimestamp === undefined ? set.spec.replicas : active.length;
      return active.length === wanted ? undefined : 1000;
    },
  };
}

/** The pods to remove first: not scheduled, not ready, youngest. */
function surplus(active: readonly Pod[], count: number): readonly Pod[] {
  if (count <= 0) return [];
  const rank = (pod: Pod) => (pod.spec.nodeName === undefined ? 0 : isReady(pod) ? 2 : 1);
  return [...active]
    .reverse()
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, count);
}
