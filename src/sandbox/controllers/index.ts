import type { Api } from "../api.ts";
import { autoscalerController } from "./autoscaler.ts";
import { certificateController } from "./certificates.ts";
import { type ControllerClock, systemClock } from "./clock.ts";
import { cloudNativePgController } from "./cloudnative-pg.ts";
import { deploymentController } from "./deployment.ts";
import { disruptionController } from "./disruption.ts";
import { endpointsController } from "./endpoints.ts";
import { eventRecorder } from "./events.ts";
import { externalSecretsController } from "./external-secrets.ts";
import { frugal } from "./frugal-api.ts";
import { gatewayController } from "./gateways.ts";
import { jobController } from "./job.ts";
import { kubeletController } from "./kubelet.ts";
import { startLoop } from "./loop.ts";
import { quotaController } from "./quota.ts";
import { replicaSetController } from "./replica-set.ts";
import { schedulerController } from "./scheduler.ts";
import type { Simulation } from "./simulation.ts";
import { snapshotController } from "./snapshots.ts";
import { statefulSetController } from "./stateful-set.ts";
import { volumeController } from "./volumes.ts";

export interface ControllerOptions {
  /** Divides every delay and deadline: 1 is believable, 100 is for tests. */
  readonly speed: number;
  /** Left out: real time. */
  readonly clock?: ControllerClock;
  /** 0 ≤ x < 1. Left out: Math.random. */
  readonly random?: () => number;
  /** Told of reconciliations that failed; they are tried again. */
  readonly onError?: (controller: string, key: string, error: unknown) => void;
}

/** Real milliseconds between looks for Events that are too old; the first look is soon after the start. */
const sweepMs = 600_000;
const firstSweepMs = 30_000;

/** Starts the simulated controllers, scheduler and kubelets. They work only while `api.leads()`. */
export function startControllers(server: Api, options: ControllerOptions): { stop(): void } {
  const { speed, clock = systemClock, random = Math.random, onError } = options;
  const api = frugal(server);
  const events = eventRecorder(api, clock);
  const simulation: Simulation = { api, clock, speed, random, events };
  const controllers = [
    deploymentController,
    replicaSetController,
    statefulSetController,
    jobController,
    schedulerController,
    kubeletController,
    volumeController,
    endpointsController,
    disruptionController,
    autoscalerController,
    quotaController,
    certificateController,
    gatewayController,
    snapshotController,
    externalSecretsController,
    cloudNativePgController,
  ].map((make) => make(simulation));
  const loop = startLoop(api, controllers, { clock, speed, ...(onError === undefined ? {} : { onError }) });

  let cancelSweep = clock.after(firstSweepMs, sweep);
  function sweep(): void {
    if (api.leads()) api.transaction(() => events.sweep());
    cancelSweep = clock.after(sweepMs, sweep);
  }

  return {
    stop() {
      cancelSweep();
      loop.stop();
    },
  };
}
