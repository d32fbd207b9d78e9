import type { KubeObject } from "./object.ts";
import { type ContainerStatus, podStatus } from "./pod-status.ts";
import { cleanText } from "./text.ts";

/**
 * How bad it is, worst first. `final`: waiting changes nothing; `container`: it fails again and again, but may
 * recover; `early`: it has only begun to fail; `placement`: no node takes the pod yet.
 */
const troubles = ["final", "container", "early", "placement"] as const;
export type PodTrouble = (typeof troubles)[number];

/** What keeps a pod from being ready. */
export interface PodProblem {
  readonly pod: string;
  /** One word in camel case, Kubernetes' own where it has one: `ImagePullBackOff`, `OOMKilled`, `Unschedulable`. */
  readonly reason: string;
  /** One line in the cluster's own words, cleaned. */
  readonly text: string;
  readonly trouble: PodTrouble;
}

/** The worst problem of these pods, the first of equals; undefined where there is none. Pure. */
export function worstProblem(pods: readonly KubeObject[]): PodProblem | undefined {
  return worst(pods.map(podProblem));
}

/** What keeps a pod from being ready; undefined where it only takes its time, or goes. Pure. */
export function podProblem(pod: KubeObject): PodProblem | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) return undefined;
  const { name } = pod.metadata;
  const { conditions, initContainerStatuses, containerStatuses } = podStatus(pod);
  const problem = worst([...initContainerStatuses, ...containerStatuses].map(containerProblem));
  if (problem !== undefined) return { pod: name, ...problem, text: cleanText(problem.text) };
  const scheduled = conditions.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") return undefined;
  return {
    pod: name,
    reason: "Unschedulable",
    text: cleanText(`pod ${name} cannot be scheduled: ${scheduled.message}`),
    trouble: "placement",
  };
}

type Problem = Pick<PodProblem, "reason" | "text" | "trouble">;

function worst<P extends Problem>(problems: readonly (P | undefined)[]): P | undefined {
  let found: P | undefined;
  for (const problem of problems) {
    if (problem === undefined) continue;
    if (found === undefined || troubles.indexOf(problem.trouble) < troubles.indexOf(found.trouble)) {
      found = problem;
    }
  }
  return found;
}

function containerProblem(container: ContainerStatus): Problem | undefined {
  const { name, image, state, lastState } = container;
  const { reason = "", message = "" } = state.waiting ?? {};
  switch (reason) {
    case "":
    case "ContainerCreating":
    case "PodInitializing":
      return ending(container);
    case "ErrImagePull":
    case "ImagePullBackOff":
    case "InvalidImageName":
    case "ErrImageNeverPull":
      return {
        // The kubelet changes between these two for as long as it tries.
        reason: reason === "ErrImagePull" ? "ImagePullBackOff" : reason,
        text: `image ${image} cannot be pulled${pullReason(message)}`,
        trouble: isFinalPull(reason, message) ? "final" : "container",
      };
    case "CrashLoopBackOff": {
      const end = lastState.terminated;
      const text =
        end?.reason === "OOMKilled"
          ? `container ${name} runs out of memory again and again`
          : `container ${name} crashes again and again${end === undefined ? "" : `, exit code ${end.exitCode}`}`;
      return {
        reason: end?.reason === "OOMKilled" ? end.reason : reason,
        text,
        trouble: "container",
      };
    }
    default:
      return {
        reason: /^[A-Z][A-Za-z]{0,63}$/.test(reason) ? reason : "ContainerCannotStart",
        text: `container ${name} cannot start: ${message || reason}`,
        trouble: startTrouble(reason),
      };
  }
}

/** How a container that is not waiting for anything has ended, where it did. */
function ending({ name, ready, state, lastState, restartCount }: ContainerStatus): Problem | undefined {
  if (ready) return undefined;
  const { terminated } = state;
  if (terminated !== undefined && terminated.exitCode !== 0) {
    const text =
      terminated.reason === "OOMKilled"
        ? `container ${name} ran out of memory`
        : `container ${name} ended with exit code ${terminated.exitCode}`;
    return {
      reason: terminated.reason === "OOMKilled" ? "OOMKilled" : "ContainerFailed",
      text,
      trouble: "early",
    };
  }
  if (restartCount === 0 || lastState.terminated?.reason !== "OOMKilled") return undefined;
  const times = restartCount === 1 ? "once" : `${restartCount} times`;
  return { reason: "OOMKilled", text: `container ${name} ran out of memory ${times}`, trouble: "early" };
}

function startTrouble(reason: string): PodTrouble {
  switch (reason) {
    case "CreateContainerConfigError":
      return "final";
    case "CreateContainerError":
    case "RunContainerError":
      return "container";
    default:
      return "early";
  }
}

/** What a registry says of an image that it will not have, or not give, a minute later either. */
const definite = /not ?found|manifest unknown|unauthorized|access denied|forbidden/i;

/** Kubernetes has tried at least twice when it backs off. */
function isFinalPull(reason: string, message: string): boolean {
  if (reason === "InvalidImageName" || reason === "ErrImageNeverPull") return true;
  return reason === "ImagePullBackOff" && definite.test(message);
}

/** The last part of a pull's message says why; `Back-off pulling image "…"` says nothing. */
function pullReason(message: string): string {
  const last = message.split(": ").at(-1)?.trim() ?? "";
  return last === "" || /^back-off pulling image/i.test(last) || last.length > 200 ? "" : `: ${last}`;
}
