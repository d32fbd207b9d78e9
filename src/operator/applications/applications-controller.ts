import type { Application } from "../../application/application.ts";
import { refText } from "../../application/service-ref.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { type Changes, keyOf, Reflector } from "../../cluster/reflector.ts";
import { resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";
import type { Controller, Enqueue, Reconciled } from "../controller.ts";
import { errorFields, type Log } from "../log.ts";
import type { ChildStore, StoredChild } from "./child-store.ts";
import type { EventRecorder } from "./events.ts";
import {
  finalizersWith,
  type HeldApplication,
  heldApplication,
  isHeld,
  subjectOf,
} from "./held-application.ts";
import { refOf } from "./object-writer.ts";
import type { PartStates } from "./part-states.ts";
import type { Brought, Reconciler } from "./reconciler.ts";
import type { Findings } from "./status.ts";
import { StatusWriter } from "./status-writer.ts";
import type { StoreChoice } from "./store-choice.ts";
import type { HeldNamespace, Surroundings } from "./surroundings.ts";

export interface ApplicationsControllerOptions {
  readonly cluster: Cluster;
  readonly timing: Timing;
  readonly log: Log;
  readonly store: ChildStore;
  readonly surroundings: Surroundings;
  readonly storeChoice: StoreChoice;
  readonly reconciler: Reconciler;
  readonly parts: PartStates;
  readonly events: EventRecorder;
  readonly workers: number;
  /** Everything is looked at again after so long, in milliseconds. */
  readonly resyncMs: number;
  /** What is only on its way is told in a status after so long, in milliseconds. */
  readonly momentMs: number;
  /** Starts what several controllers share. */
  readonly startShared: (signal: AbortSignal) => Promise<void>;
}

/** Keeps what each Application consists of as it should be, and tells in its status how far that is. */
export class ApplicationsController implements Controller {
  readonly name = "applications";
  readonly workers: number;
  readonly #options: ApplicationsControllerOptions;
  readonly #applications: Reflector<HeldApplication>;
  readonly #statuses: StatusWriter;
  readonly #byNamespace = new Map<string, Set<string>>();
  readonly #complete = Promise.withResolvers<void>();
  #enqueue: Enqueue = () => undefined;
  #running: Promise<void> | undefined;
  #started = false;

  constructor(options: ApplicationsControllerOptions) {
    this.#options = options;
    this.workers = options.workers;
    const { cluster, timing, log, events } = options;
    this.#applications = new Reflector<HeldApplication>({
      cluster,
      timing,
      resource: resources.applications,
      mode: "full",
      keep: heldApplication,
      firstPage: 500,
      batchMs: 5,
      onChanges: (changes) => this.#take(changes),
      onFreshness: ({ lastError }) => {
        if (lastError !== undefined)
          log.warn("Applications cannot be watched just now", errorFields(lastError));
      },
    });
    this.#statuses = new StatusWriter({
      cluster,
      timing,
      events,
      momentMs: options.momentMs,
      learn: (application) => this.#applications.learn(application),
    });
  }

  async start(enqueue: Enqueue, signal: AbortSignal): Promise<void> {
    this.#enqueue = enqueue;
    // All is listed at once; a second try finds this watched already.
    this.#running ??= this.#applications.run(signal);
    await Promise.all([this.#options.startShared(signal), this.#complete.promise]);
    this.#started = true;
    this.enqueueAll();
    void this.#resync(signal);
  }

  /** Everything may need work: what it is made from has changed. */
  enqueueAll(): void {
    for (const key of this.#applications.objects.keys()) this.#ask(key, "low");
  }

  enqueueNamespace(namespace: string): void {
    for (const key of this.#byNamespace.get(namespace) ?? []) this.#ask(key, "low");
  }

  /** Something of an Application has changed: what is nearly done goes before what has not begun. */
  enqueueChildOf(key: string): void {
    if (this.#applications.objects.has(key)) this.#ask(key, "high");
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Reconciled | undefined> {
    const found = this.#applications.objects.get(key);
    if (found === undefined) {
      this.#forget(key);
      return undefined;
    }
    if (found.leaving) return this.#letGo(found, signal);
    const { surroundings, reconciler } = this.#options;
    const namespace = surroundings.namespace(found.namespace);
    // Whatever was made in a namespace that goes would be refused.
    if (namespace?.child.leaving === true) return undefined;
    const held = await this.#withProviders(key, found, namespace, signal);
    const brought = await reconciler.bring(key, held, namespace, surroundings.standards, signal);
    const { findings, againMs } = await this.#findings(key, held, brought, signal);
    const newest = this.#applications.objects.get(key) ?? held;
    const untoldMs = await this.#statuses.tell(key, newest, findings, signal);
    const again = [brought.againMs, againMs, untoldMs].filter((ms) => ms !== undefined);
    return again.length === 0 ? undefined : { againMs: Math.min(...again) };
  }

  settled(): Promise<void> {
    return this.#options.events.settled();
  }

  /** The Application with who runs its data stores. */
  async #withProviders(
    key: string,
    held: HeldApplication,
    namespace: HeldNamespace | undefined,
    signal: AbortSignal,
  ): Promise<HeldApplication> {
    const { storeChoice, surroundings } = this.#options;
    const { standards } = surroundings.standards ?? {};
    if (namespace === undefined || standards === undefined) return held;
    const written = await storeChoice.write(held, namespace.team, standards, signal);
    if (written === undefined) return held;
    this.#applications.learn(written);
    return this.#applications.objects.get(key) ?? held;
  }

  async #findings(
    key: string,
    held: HeldApplication,
    brought: Brought,
    signal: AbortSignal,
  ): Promise<{ readonly findings: Findings; readonly againMs?: number | undefined }> {
    if (brought.kind === "unmade") return { findings: brought };
    await this.#hold(held, brought.application, signal);
    this.#tellRepairs(held, brought.repaired, signal);
    const { parts, againMs } = await this.#options.parts.of(key, held, brought, signal);
    return { findings: { kind: "made", parts, outcomes: brought.outcomes }, againMs };
  }

  #take({ changed, removed, complete }: Changes<HeldApplication>): void {
    for (const [key, { namespace, status }] of changed) {
      const siblings = this.#byNamespace.get(namespace) ?? new Set();
      this.#byNamespace.set(namespace, siblings.add(key));
      // A new one waits until those are done that are nearly so.
      this.#ask(key, status.observedGeneration === undefined ? "low" : "high");
    }
    for (const key of removed) {
      const namespace = key.slice(0, key.indexOf("/"));
      const siblings = this.#byNamespace.get(namespace);
      siblings?.delete(key);
      if (siblings?.size === 0) this.#byNamespace.delete(namespace);
      this.#ask(key, "high");
    }
    if (complete) this.#complete.resolve();
  }

  #ask(key: string, priority: "high" | "low"): void {
    // Before everything is known, what is not known would count as missing.
    if (this.#started) this.#enqueue(key, priority);
  }

  async #resync(signal: AbortSignal): Promise<void> {
    const { timing, resyncMs } = this.#options;
    try {
      for (;;) {
        await timing.sleep(resyncMs * (0.9 + 0.2 * timing.random()), signal);
        this.enqueueAll();
      }
    } catch {
      // Aborted: the term is over.
    }
  }

  #forget(key: string): void {
    this.#options.reconciler.forget(key);
    this.#options.parts.forget(key);
    this.#statuses.forget(key);
  }

  /** An Application with data stores says what is kept of them before it goes. */
  async #hold(held: HeldApplication, { spec }: Application, signal: AbortSignal): Promise<void> {
    if (isHeld(held) || (spec.database === undefined && spec.cache === undefined)) return;
    const application = await this.#setFinalizer(held, true, signal);
    this.#applications.learn(application);
  }

  /** Its own objects go with it, by their owner references; its data stores stay. */
  async #letGo(held: HeldApplication, signal: AbortSignal): Promise<undefined> {
    if (!isHeld(held)) return undefined;
    const kept = dataStoresAmong(this.#options.store.of(keyOf({ metadata: held })));
    if (kept.length > 0) {
      const message = `kept with their data and Secrets: ${kept.join(", ")}; platform service delete ${refText(held)} offers to delete them`;
      await this.#options.events.record(subjectOf(held), "Normal", "DataKept", message, signal);
    }
    try {
      await this.#setFinalizer(held, false, signal);
    } catch (error) {
      if (!isClusterError(error, "not-found")) throw error;
    }
    return undefined;
  }

  #setFinalizer(held: HeldApplication, ours: boolean, signal: AbortSignal) {
    const { namespace, name, version } = held;
    const metadata = { resourceVersion: version, finalizers: finalizersWith(held, ours) };
    return this.#options.cluster.patch(
      resources.applications,
      { namespace, name },
      { type: "merge", body: { metadata } },
      { signal },
    );
  }

  #tellRepairs(held: HeldApplication, repaired: readonly string[], signal: AbortSignal): void {
    if (repaired.length === 0) return;
    this.#options.log.info("brought back what had been changed", {
      application: `${held.namespace}/${held.name}`,
      objects: repaired.join(", "),
    });
    const message = `changed or removed by somebody, and brought back: ${repaired.join(", ")}; change the Application instead`;
    void this.#options.events.record(subjectOf(held), "Normal", "Repaired", message, signal);
  }
}

/** Data stores among what is there of an Application, those outside of the cluster with who runs them. Pure. */
export function dataStoresAmong(children: readonly StoredChild[]): readonly string[] {
  return children
    .flatMap(({ resource, key, child: { provider } }) => {
      const { name } = refOf(key);
      if (provider !== undefined) return [`${name} (${provider})`];
      return resource.kind === resources.statefulSets.kind ? [name] : [];
    })
    .sort();
}
