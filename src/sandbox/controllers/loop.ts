import type { Api, ResourceKey, StoredObject } from "../api.ts";
import type { ControllerClock } from "./clock.ts";
import { NamespaceSurvey } from "./settled.ts";

export interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: ResourceKey;
  readonly object: StoredObject;
}

/**
 * One level-triggered controller: it looks at what is stored under a key and makes it so. A key is
 * `namespace/name`, or `name` for cluster-scoped objects, unless the controller says otherwise.
 */
export interface Controller {
  readonly name: string;
  /** What it wants to be told of. */
  readonly resources: readonly ResourceKey[];
  /**
   * The keys a change concerns. When this process starts to lead, everything stored in namespaces where something is
   * unsettled is told as `ADDED`.
   */
  concerns(change: Change): Iterable<string>;
  /** Returns the simulated milliseconds after which it wants to look again; nothing: at the next change. */
  reconcile(key: string): number | undefined;
}

export interface LoopOptions {
  readonly clock: ControllerClock;
  /** Divides every delay. */
  readonly speed: number;
  /** Told of reconciliations that failed; they are tried again with growing delays. */
  readonly onError?: (controller: string, key: string, error: unknown) => void;
}

/** Real milliseconds between looks at who leads. */
const leadershipMs = 500;
/** Reconciliations in one turn, so that requests are served in between. */
const batch = 4;
/** Namespaces looked through in one turn after taking the lead. */
const scanBatch = 8;

/** Resources that controllers watch and that are in no namespace. */
const withoutNamespace: ReadonlySet<ResourceKey> = new Set([
  "/persistentvolumes",
  "platform.company.com/standards",
]);

/** Runs controllers over one queue, one reconciliation at a time, only while `api.leads()`. */
export function startLoop(
  api: Api,
  controllers: readonly Controller[],
  { clock, speed, onError }: LoopOptions,
): { stop(): void } {
  interface Item {
    readonly controller: Controller;
    readonly key: string;
  }
  const queue = new Map<string, Item>();
  const waiting = new Map<string, { readonly due: number; readonly cancel: () => void }>();
  const failures = new Map<string, number>();
  const watched = new Map<ResourceKey, Controller[]>();
  for (const controller of controllers) {
    for (const resource of controller.resources) {
      watched.set(resource, [...(watched.get(resource) ?? []), controller]);
    }
  }
  const surveyed = [...watched.keys(), "discovery.k8s.io/endpointslices"];
  let unsurveyed: ResourceKey[] = [];
  let survey = new NamespaceSurvey();
  let unscanned: (string | undefined)[] = [];
  let leading = false;
  let turn: (() => void) | undefined;
  let stopped = false;

  function enqueue(controller: Controller, key: string): void {
    queue.set(`${controller.name} ${key}`, { controller, key });
    if (turn === undefined && !stopped) turn = clock.after(0, work);
  }

  function later(item: Item, ms: number): void {
    const id = `${item.controller.name} ${item.key}`;
    const due = clock.now().getTime() + ms;
    const other = waiting.get(id);
    if (other !== undefined && other.due <= due) return;
    other?.cancel();
    const cancel = clock.after(ms, () => {
      waiting.delete(id);
      enqueue(item.controller, item.key);
    });
    waiting.set(id, { due, cancel });
  }

  function work(): void {
    turn = undefined;
    if (stopped || !leading) return;
    let left = batch;
    for (const [id, item] of queue) {
      if (left-- === 0) break;
      queue.delete(id);
      try {
        const again = api.transaction(() => item.controller.reconcile(item.key));
        failures.delete(id);
        if (again !== undefined) later(item, Math.max(1, again / speed));
      } catch (error) {
        const failed = (failures.get(id) ?? 0) + 1;
        failures.set(id, failed);
        onError?.(item.controller.name, item.key, error);
        later(item, Math.max(5, Math.min(30_000, 20 * 2 ** failed) / speed));
      }
    }
    catchUp();
    if (queue.size > 0 || unsurveyed.length > 0 || unscanned.length > 0) turn ??= clock.after(0, work);
  }

  /** A bit of finding out what is to be done that nobody has told this process of. */
  function catchUp(): void {
    const resource = unsurveyed.shift();
    if (resource === undefined) {
      for (const namespace of unscanned.splice(0, scanBatch)) scan(namespace);
      return;
    }
    survey.look(resource, api.list(resource));
    if (unsurveyed.length > 0) return;
    unscanned = [undefined, ...survey.dirty()];
    survey = new NamespaceSurvey();
  }

  function tell(change: Change): void {
    for (const controller of watched.get(change.resource) ?? []) {
      for (const key of controller.concerns(change)) enqueue(controller, key);
    }
  }

  /** Tells of everything stored in a namespace; undefined: of what has none. */
  function scan(namespace: string | undefined): void {
    for (const resource of watched.keys()) {
      const clusterScoped = withoutNamespace.has(resource);
      if (clusterScoped !== (namespace === undefined)) continue;
      for (const object of api.list(resource, namespace === undefined ? {} : { namespace }))
        tell({ type: "ADDED", resource, object });
    }
  }

  function lead(): void {
    if (stopped) return;
    const leads = api.leads();
    if (leads && !leading) {
      leading = true;
      unsurveyed = [...surveyed];
      turn ??= clock.after(0, work);
    } else if (!leads && leading) {
      leading = false;
      queue.clear();
      unsurveyed = [];
      unscanned = [];
      survey = new NamespaceSurvey();
      for (const { cancel } of waiting.values()) cancel();
      waiting.clear();
    }
    watchLeadership = clock.after(leadershipMs, lead);
  }

  const unsubscribe = api.onChange((change) => {
    if (leading) tell(change);
  });
  let watchLeadership = clock.after(0, lead);

  return {
    stop() {
      stopped = true;
      unsubscribe();
      watchLeadership();
      turn?.();
      for (const { cancel } of waiting.values()) cancel();
    },
  };
}

/** `namespace/name`, or `name`. */
export function keyOf({ metadata }: StoredObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** The namespace and name in a key of {@link keyOf}. */
export function parseKey(key: string): { readonly namespace: string | undefined; readonly name: string } {
  const slash = key.indexOf("/");
  return slash === -1
    ? { namespace: undefined, name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
