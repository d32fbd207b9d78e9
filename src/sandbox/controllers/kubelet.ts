import { z } from "zod";
import { isTrue, type Settable, withCondition } from "./conditions.ts";
import { missingVolume } from "./configuration.ts";
import { stepContainer } from "./container.ts";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { between, hash } from "./names.ts";
import type { Container, ContainerStatus, Pod, PodStatus } from "./shapes.ts";
import { readPod } from "./shapes.ts";
import { nowText, type Simulation, Stages } from "./simulation.ts";

const nodeStatus = z.looseObject({
  addresses: z.array(z.looseObject({ type: z.string(), address: z.string() })).default([]),
});

/** The kubelets of all nodes: carry scheduled pods to Ready, or to the failure their images stand for. */
export function kubeletController(simulation: Simulation): Controller {
  const { api, events } = simulation;
  const stages = new Stages(simulation);
  const pulled = new Set<string>();

  function terminate(pod: Pod): number | undefined {
    const { uid, namespace, name } = pod.metadata;
    const running = pod.status.containerStatuses.filter(({ state }) => state.running !== undefined);
    const quick = pod.spec.nodeName === undefined || running.length === 0;
    const graceMs = pod.spec.terminationGracePeriodSeconds * 1000;
    const left = quick ? 0 : stages.left(`${uid}/end`, "end", Math.min(graceMs, between(uid, 600, 1400)));
    if (left > 0) {
      for (const { name: container } of running) {
        if (!stages.enters(`${uid}/killing/${container}`, "killing")) continue;
        const fieldPath = `spec.containers{${container}}`;
        events.record(
          { object: pod, fieldPath },
          "Normal",
          "Killing",
          `Stopping container ${container}`,
          "kubelet",
        );
      }
      return left;
    }
    if ((pod.metadata.finalizers ?? []).length > 0) return undefined;
    api.delete("/pods", namespace, name, { uid, grace: 0 });
    stages.forget(uid);
    return undefined;
  }

  function hostAddress(pod: Pod): Record<string, unknown> {
    const node = api.get("/nodes", undefined, pod.spec.nodeName ?? "");
    const address = nodeStatus
      .parse(node?.status ?? {})
      .addresses.find(({ type }) => type === "InternalIP")?.address;
    return address === undefined ? {} : { hostIP: address, hostIPs: [{ ip: address }] };
  }

  /** The status a kubelet writes when it first sees a pod. */
  function accept(pod: Pod): PodStatus {
    const waiting = {
      waiting: { reason: pod.spec.initContainers.length > 0 ? "PodInitializing" : "ContainerCreating" },
    };
    return {
      ...pod.status,
      phase: "Pending",
      ...hostAddress(pod),
      startTime: nowText(simulation),
      qosClass: qualityOfService(pod.spec.containers),
      containerStatuses: pod.spec.containers.map((container) => fresh(container, waiting)),
      ...(pod.spec.initContainers.length === 0
        ? {}
        : { initContainerStatuses: pod.spec.initContainers.map((container) => fresh(container, waiting)) }),
    };
  }

  /** Runs one group of containers; init containers one after the other. */
  function step(
    pod: Pod,
    containers: readonly Container[],
    statuses: readonly ContainerStatus[],
    sequential: boolean,
  ): {
    readonly statuses: readonly ContainerStatus[];
    readonly again: number | undefined;
    readonly done: boolean;
  } {
    let again: number | undefined;
    let blocked = false;
    const next = containers.map((container) => {
      const status =
        statuses.find(({ name }) => name === container.name) ??
        fresh(container, { waiting: { reason: "ContainerCreating" } });
      if (blocked) return status;
      const context = { simulation, api, stages, pulled, pod, container };
      const result = stepContainer(context, status);
      if (sequential && result.status.state.terminated?.exitCode !== 0) blocked = true;
      if (result.again !== undefined) again = Math.min(again ?? result.again, result.again);
      return result.status;
    });
    return { statuses: next, again, done: !blocked };
  }

  function run(pod: Pod): { readonly status: PodStatus; readonly again: number | undefined } {
    const { uid } = pod.metadata;
    const missing = missingVolume(api, pod);
    if (missing !== undefined && pod.status.podIP === undefined) {
      const message = `MountVolume.SetUp failed for volume "${missing.volume}" : ${missing.problem}`;
      events.record(pod, "Warning", "FailedMount", message, "kubelet");
      return { status: pod.status, again: 3000 };
    }
    const sandbox = stages.left(`${uid}/sandbox`, "sandbox", between(uid, 200, 600));
    if (sandbox > 0 && pod.status.podIP === undefined) return { status: pod.status, again: sandbox };
    const address = pod.status.podIP ?? podAddress(uid);
    const base: PodStatus = { ...pod.status, podIP: address, podIPs: [{ ip: address }] };

    const initPod: Pod = { ...pod, spec: { ...pod.spec, restartPolicy: "OnFailure" } };
    const init = step(initPod, pod.spec.initContainers, pod.status.initContainerStatuses ?? [], true);
    if (!init.done) {
      return { status: { ...base, initContainerStatuses: [...init.statuses] }, again: init.again };
    }
    const main = step(pod, pod.spec.containers, pod.status.containerStatuses, false);
    const status: PodStatus = {
      ...base,
      ...(init.statuses.length === 0 ? {} : { initContainerStatuses: [...init.statuses] }),
      containerStatuses: [...main.statuses],
    };
    return { status: { ...status, phase: phaseOf(pod, status.containerStatuses) }, again: main.again };
  }

  return {
    name: "kubelet",
    resources: ["/pods"],
    *concerns({ type, resource, object }) {
      if (resource !== "/pods") return;
      if (type === "DELETED") stages.forget(object.metadata.uid);
      else yield keyOf(object);
    },
    reconcile(key) {
      const { namespace, name } = parseKey(key);
      const stored = api.get("/pods", namespace, name);
      if (stored === undefined) return undefined;
      const pod = readPod(stored);
      if (pod.metadata.deletionTimestamp !== undefined) return terminate(pod);
      if (pod.spec.nodeName === undefined || isFinished(pod)) return undefined;
      const accepted: Pod = pod.status.startTime === undefined ? { ...pod, status: accept(pod) } : pod;
      const { status, again } = run(accepted);
      api.updateStatus("/pods", { ...stored, status: withConditions(accepted, status, nowText(simulation)) });
      return again;
    },
  };
}

function isFinished({ status }: Pod): boolean {
  return status.phase === "Succeeded" || status.phase === "Failed";
}

function fresh(container: Container, state: ContainerStatus["state"]): ContainerStatus {
  return {
    name: container.name,
    image: container.image,
    imageID: "",
    ready: false,
    started: false,
    restartCount: 0,
    state,
    lastState: {},
  };
}

function phaseOf(pod: Pod, statuses: readonly ContainerStatus[]): string {
  const ended = statuses.every(({ state }) => state.terminated !== undefined);
  if (ended && pod.spec.restartPolicy !== "Always") {
    const failed = statuses.some(({ state }) => state.terminated?.exitCode !== 0);
    if (!failed) return "Succeeded";
    if (pod.spec.restartPolicy === "Never") return "Failed";
  }
  const started = statuses.every(
    ({ state, lastState }) =>
      state.running !== undefined || state.terminated !== undefined || lastState.terminated !== undefined,
  );
  return started ? "Running" : "Pending";
}

function withConditions(pod: Pod, status: PodStatus, now: string): PodStatus {
  const unready = status.containerStatuses.filter(({ ready }) => !ready).map(({ name }) => name);
  const finished = status.phase === "Succeeded" || status.phase === "Failed";
  const ready = unready.length === 0 && !finished;
  const problem = ready
    ? {}
    : finished
      ? { reason: "PodCompleted" }
      : {
          reason: "ContainersNotReady",
          message: `containers with unready status: [${unready.join(" ")}]`,
        };
  const initialized = (status.initContainerStatuses ?? []).every(
    ({ state }) => state.terminated?.exitCode === 0,
  );
  const set: readonly Settable[] = [
    { type: "PodReadyToStartContainers", status: status.podIP === undefined ? "False" : "True" },
    initialized
      ? { type: "Initialized", status: "True" }
      : { type: "Initialized", status: "False", reason: "ContainersNotInitialized" },
    { type: "Ready", status: ready ? "True" : "False", ...problem },
    { type: "ContainersReady", status: ready ? "True" : "False", ...problem },
    { type: "PodScheduled", status: "True" },
  ];
  let conditions = pod.status.conditions;
  for (const condition of set) {
    if (condition.type === "PodScheduled" && isTrue(conditions, "PodScheduled")) continue;
    conditions = withCondition(conditions, { lastProbeTime: null, ...condition }, now);
  }
  return { ...status, conditions };
}

function qualityOfService(containers: readonly Container[]): string {
  const guaranteed = containers.every(({ resources: { limits, requests } }) =>
    ["cpu", "memory"].every(
      (name) => limits?.[name] !== undefined && (requests?.[name] ?? limits[name]) === limits[name],
    ),
  );
  if (guaranteed) return "Guaranteed";
  const best = containers.every(
    ({ resources: { limits, requests } }) =>
      Object.keys(limits ?? {}).length === 0 && Object.keys(requests ?? {}).length === 0,
  );
  return best ? "BestEffort" : "Burstable";
}

/** An address of 10.244.0.0/16 that stays the pod's. Two pods may share one by chance; nothing routes to it. */
function podAddress(uid: string): string {
  const number = hash(uid);
  return `10.244.${(number >>> 8) & 0xff}.${1 + ((number & 0xff) % 254)}`;
}
