import { namespaceObjects } from "../../application/desired-objects.ts";
import { apiVersionOf, resourceOf, resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";
import type { Controller, Enqueue, Reconciled } from "../controller.ts";
import type { Log } from "../log.ts";
import type { ChildStore } from "./child-store.ts";
import type { EventRecorder } from "./events.ts";
import { type ObjectWriter, refOf } from "./object-writer.ts";
import type { Surroundings } from "./surroundings.ts";
import { type Wanted, wantedOf } from "./wanted.ts";

export interface NamespacesControllerOptions {
  readonly timing: Timing;
  readonly log: Log;
  readonly store: ChildStore;
  readonly surroundings: Surroundings;
  readonly writer: ObjectWriter;
  readonly events: EventRecorder;
  /** Milliseconds that something must have been wrong for before it is mended. */
  readonly patienceMs: number;
  /** Starts what several controllers share. */
  readonly startShared: (signal: AbortSignal) => Promise<void>;
}

/** What is refused or in the way is tried again after so long, in milliseconds. */
const againMs = 5 * 60_000;

/** Key of a managed namespace in the queue. */
export function keyOfNamespace(name: string): string {
  return `${name}/`;
}

/**
 * Keeps what each managed namespace has of itself: limits, quota, guardrails, closed network policies, rights of the
 * team. A run may be at work where something is missing, so that it is given a moment.
 */
export class NamespacesController implements Controller {
  readonly name = "namespaces";
  readonly workers = 2;
  readonly #options: NamespacesControllerOptions;
  readonly #wrongSince = new Map<string, number>();
  #enqueue: Enqueue = () => undefined;
  #started = false;

  constructor(options: NamespacesControllerOptions) {
    this.#options = options;
  }

  async start(enqueue: Enqueue, signal: AbortSignal): Promise<void> {
    this.#enqueue = enqueue;
    await this.#options.startShared(signal);
    this.#started = true;
    this.enqueueAll();
  }

  enqueueAll(): void {
    for (const name of this.#options.surroundings.namespaces) this.enqueue(name);
  }

  enqueue(name: string): void {
    if (this.#started) this.#enqueue(keyOfNamespace(name), "low");
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Reconciled | undefined> {
    const { surroundings, store, timing } = this.#options;
    const name = key.slice(0, key.indexOf("/"));
    const namespace = surroundings.namespace(name);
    const inForce = surroundings.standards;
    if (
      namespace === undefined ||
      namespace.child.leaving ||
      inForce === undefined ||
      namespace.team === ""
    ) {
      this.#wrongSince.delete(name);
      return undefined;
    }
    const facts = { guardrails: store.serves(resources.guardrails) };
    const wrong = namespaceObjects(namespace, inForce.standards, facts)
      .filter((object) => object.kind === "Namespace" || store.serves(resourceOf(object)))
      .map((object) => ({ object, wanted: wantedOf(object, "namespace", { kind: "namespace" }) }))
      .filter(({ wanted }) => this.#digestOf(wanted, namespace.child.digest) !== wanted.digest);
    if (wrong.length === 0) {
      this.#wrongSince.delete(name);
      return undefined;
    }
    const now = timing.now().getTime();
    const since = this.#wrongSince.get(name) ?? now;
    this.#wrongSince.set(name, since);
    const left = since + this.#options.patienceMs - now;
    if (left > 0) return { againMs: left };
    const troubles: string[] = [];
    for (const { object, wanted } of wrong) {
      const trouble = await this.#bring(object, wanted, namespace.child.uid, signal);
      if (trouble !== undefined) troubles.push(trouble);
    }
    this.#wrongSince.delete(name);
    if (troubles.length === 0) return undefined;
    const subject = {
      apiVersion: apiVersionOf(resources.namespaces),
      kind: resources.namespaces.kind,
      namespace: name,
      name,
      uid: namespace.child.uid,
    };
    const text = troubles.join("; ");
    this.#options.log.warn("a managed namespace is not as it should be", { namespace: name, problem: text });
    await this.#options.events.record(subject, "Warning", "NotAsWanted", text, signal);
    return { againMs };
  }

  #digestOf({ resource, key }: Wanted, ofNamespace: string | undefined): string | undefined {
    return resource.kind === "Namespace" ? ofNamespace : this.#options.store.get(resource, key)?.digest;
  }

  async #bring(
    object: Parameters<typeof wantedOf>[0],
    wanted: Wanted,
    uid: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { writer, surroundings } = this.#options;
    const what = `${wanted.resource.kind} ${refOf(wanted.key).name}`;
    if (object.kind === "Namespace") {
      surroundings.learnNamespace(await writer.overwrite(object, uid, signal));
      return undefined;
    }
    const result = await writer.bring(wanted, () => object, { look: false, signal });
    if (result.kind === "refused" && result.lasting && object.kind === "RoleBinding") {
      // Which role it binds cannot be changed: one of an older platform goes, and its going brings us back.
      await writer.remove(wanted, signal);
      return undefined;
    }
    if (result.kind === "conflict") return `${what} ${result.owner}; it was left as it is`;
    return result.kind === "refused" ? `${what} is refused: ${result.text}` : undefined;
  }
}
