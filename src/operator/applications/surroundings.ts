import type { ManagedNamespace } from "../../application/desired-objects.ts";
import { labels } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { Reflector } from "../../cluster/reflector.ts";
import { resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";
import { parseStandards, standardsHash } from "../../standards/load.ts";
import { type Standards, standardsName } from "../../standards/standards.ts";
import { errorFields, type Log } from "../log.ts";
import { type Child, childOf } from "./child.ts";

/** A managed namespace, and what the platform has applied of it. */
export interface HeldNamespace extends ManagedNamespace {
  readonly child: Child;
}

/** The standards in force. */
export interface HeldStandards {
  readonly standards: Standards;
  readonly hash: string;
}

export interface SurroundingsOptions {
  readonly cluster: Cluster;
  readonly timing: Timing;
  readonly log: Log;
  /** A namespace has become managed, has changed, or is managed no more. */
  readonly onNamespace: (name: string) => void;
  readonly onStandards: () => void;
}

function heldNamespace(object: KubeObject): HeldNamespace {
  const { name, labels: own = {} } = object.metadata;
  return {
    name,
    team: own[labels.team] ?? "",
    tier: own[labels.tier],
    service: own[labels.service],
    child: childOf(object),
  };
}

/** What Applications are made from besides themselves: the managed namespaces and the standards. */
export class Surroundings {
  readonly #namespaces: Reflector<HeldNamespace>;
  readonly #standards: Reflector<KubeObject>;
  readonly #log: Log;
  readonly #complete: Promise<unknown>;
  #running: Promise<unknown> | undefined;
  #held: HeldStandards | undefined;

  constructor({ cluster, timing, log, onNamespace, onStandards }: SurroundingsOptions) {
    this.#log = log;
    const namespaces = Promise.withResolvers<void>();
    const standards = Promise.withResolvers<void>();
    this.#complete = Promise.all([namespaces.promise, standards.promise]);
    this.#namespaces = new Reflector<HeldNamespace>({
      cluster,
      timing,
      resource: resources.namespaces,
      // Labels are all there is to know of a namespace.
      mode: "metadata",
      labelSelector: `${labels.managed}=true`,
      keep: heldNamespace,
      firstPage: 500,
      batchMs: 5,
      onChanges: ({ changed, removed, complete }) => {
        for (const name of changed.keys()) onNamespace(name);
        for (const name of removed) onNamespace(name);
        if (complete) namespaces.resolve();
      },
      onFreshness: ({ lastError }) => {
        if (lastError !== undefined)
          log.warn("namespaces cannot be watched just now", errorFields(lastError));
      },
    });
    this.#standards = new Reflector<KubeObject>({
      cluster,
      timing,
      resource: resources.standards,
      mode: "full",
      keep: (object) => object,
      batchMs: 100,
      onChanges: ({ complete }) => {
        if (this.#takeStandards()) onStandards();
        if (complete) standards.resolve();
      },
      onFreshness: ({ lastError }) => {
        if (lastError !== undefined) log.warn("standards cannot be watched just now", errorFields(lastError));
      },
    });
  }

  /** Resolves once both are known. Watches until the signal aborts; called again, it only waits. */
  async start(signal: AbortSignal): Promise<void> {
    this.#running ??= Promise.all([this.#namespaces.run(signal), this.#standards.run(signal)]);
    await this.#complete;
  }

  /** The managed namespace of this name. */
  namespace(name: string): HeldNamespace | undefined {
    return this.#namespaces.objects.get(name);
  }

  /** Names of the managed namespaces. */
  get namespaces(): Iterable<string> {
    return this.#namespaces.objects.keys();
  }

  /** Takes what a write of ours has answered. */
  learnNamespace(object: KubeObject): void {
    this.#namespaces.learn(object);
  }

  /** The newest valid ones; undefined where the cluster never had any. */
  get standards(): HeldStandards | undefined {
    return this.#held;
  }

  /** Whether other standards are in force now. Wrong ones change nothing. */
  #takeStandards(): boolean {
    const object = this.#standards.objects.get(standardsName);
    if (object === undefined) return false;
    try {
      const standards = parseStandards({
        file: `standards/${standardsName}`,
        value: object,
        positionOf: () => undefined,
      });
      const hash = standardsHash(standards);
      if (hash === this.#held?.hash) return false;
      this.#held = { standards, hash };
      return true;
    } catch (error) {
      this.#log.error("the standards are not valid: those before them stay in force", errorFields(error));
      return false;
    }
  }
}
