import type { Api } from "../api.ts";
import { timestamp } from "./clock.ts";
import { missingConfiguration } from "./configuration.ts";
import { behaviourOf, parseImage } from "./images.ts";
import { between, hash } from "./names.ts";
import type { Container, ContainerStatus, Pod } from "./shapes.ts";
import type { Simulation, Stages } from "./simulation.ts";

/** What a container's state machine works with, beside the container itself. */
export interface ContainerContext {
  readonly simulation: Simulation;
  readonly api: Api;
  readonly stages: Stages;
  /** Images that a node holds: `node image`. */
  readonly pulled: Set<string>;
  readonly pod: Pod;
  readonly container: Container;
}

/** The container's status now, and the simulated milliseconds until it may change by itself. */
export interface ContainerStep {
  readonly status: ContainerStatus;
  readonly again: number | undefined;
}

/** Between restarts: 10 s, doubled each time, at most five minutes. */
function backOffMs(times: number): number {
  return Math.min(300_000, 10_000 * 2 ** Math.max(0, times - 1));
}

/** A status without the fields of the state before. */
function put(
  status: ContainerStatus,
  state: ContainerStatus["state"],
  change: Partial<Pick<ContainerStatus, "ready" | "started" | "restartCount" | "lastState">> = {},
): ContainerStatus {
  return { ...status, ready: false, started: false, ...change, state };
}

function waiting(status: ContainerStatus, reason: string, message: string): ContainerStatus {
  return put(status, { waiting: { reason, message } });
}

/** Moves one container on by at most one state. */
export function stepContainer(context: ContainerContext, status: ContainerStatus): ContainerStep {
  if (status.state.running !== undefined) return stepRunning(context, status);
  if (status.state.terminated !== undefined) return stepTerminated(context, status);
  const reason = status.state.waiting?.reason;
  if (reason === "CrashLoopBackOff") return stepCrashLoop(context, status);
  if (reason === "ImagePullBackOff" || reason === "ErrImagePull") return stepPullFailed(context, status);
  return stepStarting(context, status);
}

function subject({ pod, container }: ContainerContext): string {
  return `${pod.metadata.uid}/${container.name}`;
}

function record(
  context: ContainerContext,
  type: "Normal" | "Warning",
  reason: string,
  message: string,
): void {
  const fieldPath = `spec.containers{${context.container.name}}`;
  context.simulation.events.record({ object: context.pod, fieldPath }, type, reason, message, "kubelet");
}

function isPulled({ container, pod, pulled }: ContainerContext): boolean {
  return (
    container.imagePullPolicy !== "Always" && pulled.has(`${pod.spec.nodeName ?? ""} ${container.image}`)
  );
}

/** Pulls the image, then creates and starts the container. */
function stepStarting(context: ContainerContext, status: ContainerStatus): ContainerStep {
  const { container, stages } = context;
  const { image } = container;
  const behaviour = behaviourOf(image);
  if (behaviour.invalidName) {
    const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`;
    record(context, "Warning", "InspectFailed", message);
    record(context, "Warning", "Failed", "Error: InvalidImageName");
    return { status: waiting(status, "InvalidImageName", message), again: 10_000 };
  }
  const attempt = `pull/${status.restartCount}`;
  const images = `${subject(context)}/image`;
  if (isPulled(context)) {
    if (!stages.isIn(images, attempt) && stages.enters(images, attempt)) {
      record(context, "Normal", "Pulled", `Container image "${image}" already present on machine`);
    }
  } else if (!stages.isIn(images, attempt)) {
    if (stages.enters(subject(context), attempt)) {
      record(context, "Normal", "Pulling", `Pulling image "${image}"`);
    }
    const pullMs = behaviour.slowPull ? 60_000 : between(subject(context), 900, 2600);
    const left = stages.left(subject(context), attempt, pullMs);
    if (left > 0) return { status, again: left };
    if (behaviour.pullError !== undefined) return pullFailed(context, status, behaviour.pullError);
    stages.enters(images, attempt);
    context.pulled.add(`${context.pod.spec.nodeName ?? ""} ${image}`);
    const took = pullMs >= 1000 ? `${(pullMs / 1000).toFixed(3)}s` : `${pullMs}ms`;
    const size = between(image, 12_000_000, 160_000_000);
    const message = `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${size} bytes.`;
    record(context, "Normal", "Pulled", message);
  }
  const delay = between(context.pod.metadata.uid, 250, 700);
  const left = stages.left(subject(context), `start/${status.restartCount}`, delay);
  return left > 0 ? { status, again: left } : start(context, status);
}

/** Creates and starts the container, if what its environment needs is there. */
function start(context: ContainerContext, status: ContainerStatus): ContainerStep {
  const { api, pod, container, simulation } = context;
  const missing = missingConfiguration(api, pod, container);
  if (missing !== undefined) {
    record(context, "Warning", "Failed", `Error: ${missing}`);
    return { status: waiting(status, "CreateContainerConfigError", missing), again: 3000 };
  }
  record(context, "Normal", "Created", `Created container: ${container.name}`);
  record(context, "Normal", "Started", `Started container ${container.name}`);
  const parsed = parseImage(container.image);
  const running = put(
    {
      ...status,
      image: parsed?.full ?? container.image,
      imageID: `${parsed?.registry ?? ""}/${parsed?.repository ?? ""}@sha256:${digest(container.image)}`,
      containerID: `containerd://${digest(`${subject(context)}/${status.restartCount}`)}`,
    },
    { running: { startedAt: timestamp(simulation.clock.now()) } },
    { started: container.startupProbe === undefined },
  );
  return stepRunning(context, running);
}

/** Starts the container once more, remembering how it ended. */
function restart(context: ContainerContext, status: ContainerStatus): ContainerStep {
  const { terminated } = status.state;
  const lastState = terminated === undefined ? status.lastState : { terminated };
  return start(context, { ...status, restartCount: status.restartCount + 1, lastState });
}

function stepRunning(context: ContainerContext, status: ContainerStatus): ContainerStep {
  const { container, pod, stages, simulation } = context;
  const behaviour = behaviourOf(container.image);
  const ranFor = (ms: number) => stages.left(subject(context), `run/${status.restartCount}`, ms);
  const finishes = pod.spec.restartPolicy !== "Always";
  if (behaviour.exit !== undefined || finishes) {
    const left = ranFor(between(subject(context), 700, 1600));
    if (left > 0) return { status, again: left };
    const { code, reason } = behaviour.exit ?? { code: 0, reason: "Completed" };
    const terminated = {
      exitCode: code,
      reason,
      startedAt: status.state.running?.startedAt ?? timestamp(simulation.clock.now()),
      finishedAt: timestamp(simulation.clock.now()),
      containerID: status.containerID,
    };
    return stepTerminated(context, put(status, { terminated }));
  }
  if (status.ready) return { status, again: undefined };
  const probe = container.readinessProbe;
  const startup = (container.startupProbe?.initialDelaySeconds ?? 0) * 1000;
  const settle = probe === undefined ? 0 : between(`${subject(context)}/ready`, 500, 1800);
  const left = ranFor(startup + (probe?.initialDelaySeconds ?? 0) * 1000 + settle);
  if (left > 0) return { status, again: left };
  if (probe !== undefined && !behaviour.ready) {
    record(context, "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503");
    return { status: { ...status, started: true }, again: (probe.periodSeconds ?? 10) * 1000 };
  }
  return { status: { ...status, started: true, ready: true }, again: undefined };
}

function stepTerminated(context: ContainerContext, status: ContainerStatus): ContainerStep {
  const { restartPolicy } = context.pod.spec;
  const failed = status.state.terminated?.exitCode !== 0;
  if (restartPolicy === "Never" || (restartPolicy === "OnFailure" && !failed)) {
    return { status, again: undefined };
  }
  const { name } = context.container;
  const { name: pod, namespace, uid } = context.pod.metadata;
  const left = context.stages.left(subject(context), `ended/${status.restartCount}`, 800);
  if (left > 0) return { status, again: left };
  if (status.restartCount === 0) return restart(context, status);
  const wait = backOffMs(status.restartCount) / 1000;
  const shown = wait >= 60 ? `${Math.floor(wait / 60)}m${wait % 60}s` : `${wait}s`;
  record(
    context,
    "Warning",
    "BackOff",
    `Back-off restarting failed container ${name} in pod ${pod}_${namespace ?? ""}(${uid})`,
  );
  const message = `back-off ${shown} restarting failed container=${name} pod=${pod}_${namespace ?? ""}(${uid})`;
  const lastState = { terminated: status.state.terminated };
  return {
    status: put(status, { waiting: { reason: "CrashLoopBackOff", message } }, { lastState }),
    again: 1,
  };
}

function stepCrashLoop(context: ContainerContext, status: ContainerStatus): ContainerStep {
  const left = context.stages.left(
    subject(context),
    `backoff/${status.restartCount}`,
    backOffMs(status.restartCount),
  );
  if (left > 0) return { status, again: left };
  return restart(context, status);
}

function pullFailed(context: ContainerContext, status: ContainerStatus, error: string): ContainerStep {
  record(context, "Warning", "Failed", `Failed to pull image "${context.container.image}": ${error}`);
  record(context, "Warning", "Failed", "Error: ErrImagePull");
  return { status: waiting(status, "ErrImagePull", error), again: 800 };
}

/** Alternates between the failed pull and waiting for the next, which comes later each time. */
function stepPullFailed(context: ContainerContext, status: ContainerStatus): ContainerStep {
  const { container, stages } = context;
  const { image } = container;
  const error = behaviourOf(image).pullError;
  if (error === undefined) return stepStarting(context, waiting(status, "ContainerCreating", ""));
  const attempts = context.stages.count(`${subject(context)}/pulls`);
  if (status.state.waiting?.reason === "ErrImagePull") {
    const left = stages.left(subject(context), `failed/${attempts}`, 1200);
    if (left > 0) return { status, again: left };
    record(context, "Normal", "BackOff", `Back-off pulling image "${image}"`);
    record(context, "Warning", "Failed", "Error: ImagePullBackOff");
    const message = `Back-off pulling image "${image}": ErrImagePull: ${error}`;
    return { status: waiting(status, "ImagePullBackOff", message), again: 1 };
  }
  const left = stages.left(subject(context), `backoff/${attempts}`, backOffMs(attempts + 1));
  if (left > 0) return { status, again: left };
  context.stages.increment(`${subject(context)}/pulls`);
  record(context, "Normal", "Pulling", `Pulling image "${image}"`);
  return pullFailed(context, status, error);
}

/** 64 hexadecimal digits that are always the same for the same text. */
function digest(text: string): string {
  let digits = "";
  for (let i = 0; i < 8; i++) digits += hash(`${i}${text}`).toString(16).padStart(8, "0");
  return digits;
}
