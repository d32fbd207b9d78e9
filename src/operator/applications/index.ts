import { randomBytes } from "node:crypto";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Timing } from "../../cluster/timing.ts";
import type { Controller } from "../controller.ts";
import type { Log } from "../log.ts";
import { ApplicationsController } from "./applications-controller.ts";
import { ChildStore } from "./child-store.ts";
import { CredentialsKeeper } from "./credentials.ts";
import { EventRecorder } from "./events.ts";
import { Migrations } from "./migrations.ts";
import { NamespacesController } from "./namespaces-controller.ts";
import { ObjectWriter } from "./object-writer.ts";
import { PartStates } from "./part-states.ts";
import { PodLooks } from "./pod-looks.ts";
import { ProvisionRuns } from "./provision-runs.ts";
import { Provisioning } from "./provisioning.ts";
import { Reconciler } from "./reconciler.ts";
import { StoreChoice } from "./store-choice.ts";
import { Surroundings } from "./surroundings.ts";

export interface ApplicationsOptions {
  readonly cluster: Cluster;
  readonly timing: Timing;
  readonly log: Log;
  /** This process, as Events name it. */
  readonly identity: string;
  /** Applications worked on at the same time. Default 5. */
  readonly workers?: number;
  /** Everything is looked at again after so long, in milliseconds. Default ten minutes. */
  readonly resyncMs?: number;
  /** What is only on its way is told in a status after so long, in milliseconds, and later while much is. Default 5 s. */
  readonly momentMs?: number;
  /** A rollout that gets on within this time is not looked into, in milliseconds. Default 10 s. */
  readonly patienceMs?: number;
  /** Credentials are read again after so long, in milliseconds: pods roll at most so late. Default five minutes. */
  readonly credentialsMs?: number;
  /** What a managed namespace lacks is mended after so long, in milliseconds. Default ten seconds. */
  readonly namespacePatienceMs?: number;
}

/**
 * The controllers of Applications and of the namespaces they are in. They share their caches, so that they run in the
 * same process and for the same term.
 */
export function createApplicationsControllers(options: ApplicationsOptions): readonly Controller[] {
  const { cluster, timing, log } = options;
  const events = new EventRecorder({ cluster, timing, log, identity: options.identity });
  const store = new ChildStore({
    cluster,
    timing,
    log,
    onChild: ({ key, child }) => {
      if (child.application !== undefined) applications.enqueueChildOf(child.application);
      // What no Application controls may be the namespace's own.
      if (child.controller === undefined) namespaces.enqueue(key.slice(0, key.indexOf("/")));
    },
    onKinds: () => {
      applications.enqueueAll();
      namespaces.enqueueAll();
    },
  });
  const surroundings = new Surroundings({
    cluster,
    timing,
    log,
    onNamespace: (name) => {
      applications.enqueueNamespace(name);
      namespaces.enqueue(name);
    },
    onStandards: () => {
      applications.enqueueAll();
      namespaces.enqueueAll();
    },
  });
  const writer = new ObjectWriter(cluster, store);
  const runs = new ProvisionRuns({ cluster, timing, log }, (key) => applications.enqueueChildOf(key));
  let shared: Promise<unknown> | undefined;
  const startShared = async (signal: AbortSignal) => {
    runs.start(signal);
    shared ??= Promise.all([store.start(signal), surroundings.start(signal)]);
    try {
      await shared;
    } catch (error) {
      // Asked again, and nothing is watched twice: the store starts watching only when nothing can fail any more.
      shared = undefined;
      throw error;
    }
  };
  const applications = new ApplicationsController({
    cluster,
    timing,
    log,
    store,
    surroundings,
    events,
    startShared,
    storeChoice: new StoreChoice(cluster, store, () => timing.now()),
    reconciler: new Reconciler({
      store,
      writer,
      credentials: new CredentialsKeeper({
        cluster,
        timing,
        randomBytes,
        holdsMs: options.credentialsMs ?? 5 * 60_000,
      }),
      migrations: new Migrations(cluster),
      provisioning: new Provisioning(cluster, timing, runs),
      now: () => timing.now(),
    }),
    parts: new PartStates(new PodLooks(cluster, timing, options.patienceMs ?? 10_000)),
    workers: options.workers ?? 5,
    momentMs: options.momentMs ?? 5_000,
    resyncMs: options.resyncMs ?? 10 * 60_000,
  });
  const namespaces = new NamespacesController({
    timing,
    log,
    store,
    surroundings,
    writer,
    events,
    startShared,
    patienceMs: options.namespacePatienceMs ?? 10_000,
  });
  return [applications, namespaces];
}
