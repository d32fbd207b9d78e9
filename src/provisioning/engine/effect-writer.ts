import { labels } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resourceOf } from "../../cluster/resource.ts";
import type { Clock } from "../clock.ts";
import { StepError } from "../errors.ts";
import { installationSubject } from "../installation.ts";
import {
  belongsTo,
  objectEffect,
  observeEffect,
  propagationOf,
  refOf,
  waitUntilGone,
} from "../objects/objects.ts";
import type { StepId } from "../plan.ts";
import { type Effect, effectKey } from "../runs/effect.ts";
import type { EffectOutcome, RunEvent } from "../runs/event.ts";
import type { Journal } from "../runs/journal.ts";
import type { EffectState, RunName } from "../runs/run.ts";
import type { EffectWriter } from "../step.ts";
import { beforeChange, beforeDeletion } from "./before.ts";
import { asWanted, labelledAs, withMaker, write } from "./write.ts";

type Recorded = Extract<RunEvent, { readonly type: "EffectsRecorded" }>["results"][number];
type Before = NonNullable<Extract<RunEvent, { readonly type: "EffectsIntended" }>["before"]>[number];
type Released = Extract<RunEvent, { readonly type: "EffectsReleased" }>["results"];
interface Written {
  readonly object: KubeObject;
  readonly outcome: EffectOutcome;
}

export interface EffectWriterOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly journal: Pick<Journal, "append" | "note">;
  readonly step: StepId;
  readonly run: RunName;
  readonly service: string;
  /** What this step has recorded so far, over all its attempts. */
  readonly effects: () => readonly EffectState[];
  /** The service exists: what is left as it is, and was there before, is not this run's. */
  readonly changesService: boolean;
  /** Aborted: no new write begins; one in hand is finished. */
  readonly signal: AbortSignal;
}

/** A merge patch and its precondition in one. */
function merged(patch: object, precondition: { readonly metadata?: object }): object {
  const metadata = "metadata" in patch && typeof patch.metadata === "object" ? patch.metadata : {};
  return { ...patch, metadata: { ...metadata, ...precondition.metadata } };
}

function inTheWay(object: KubeObject, service: string): StepError {
  const { name, namespace } = object.metadata;
  const mend =
    service === installationSubject
      ? "label it app.kubernetes.io/managed-by=platform where it is this platform's; otherwise have its owner remove it"
      : "rename the service, or have its owner remove the object";
  const where = namespace === undefined ? "" : ` in ${namespace}`;
  return new StepError(
    "conflict",
    `${object.kind} ${name}${where} exists and is not ${service}'s; it was left as it is`,
    mend,
  );
}

/**
 * Everything a step does outside the process: observes, journals the intent, writes, journals the result. Writes
 * are never cut off by an abort, so that each intent has a result wherever the process lives to see it.
 */
export function createEffectWriter({
  cluster,
  clock,
  journal,
  step,
  run,
  service,
  effects,
  changesService,
  signal,
}: EffectWriterOptions): EffectWriter {
  const at = () => clock.now().toISOString();
  const intend = (effects: readonly Effect[], before: readonly Before[] = []) =>
    journal.append({
      type: "EffectsIntended",
      at: at(),
      step,
      effects: [...effects],
      ...(before.length === 0 ? {} : { before: [...before] }),
    });
  const record = (results: readonly Recorded[]) => {
    if (results.length > 0) journal.note({ type: "EffectsRecorded", at: at(), step, results: [...results] });
  };
  const release = (results: Released) =>
    journal.append({ type: "EffectsReleased", at: at(), step, results: [...results] });
  const recordWritten = (written: readonly Written[]) =>
    record(
      written.map(({ object, outcome }) => ({
        effect: objectEffect(object),
        outcome,
        ...(object.metadata.uid === undefined ? {} : { uid: object.metadata.uid }),
      })),
    );

  /** Reads what is there; whatever is not this service's stops the step before it wrote anything. */
  async function observe(objects: readonly KubeObject[]): Promise<readonly (KubeObject | undefined)[]> {
    const look = (object: KubeObject) => observeEffect(cluster, objectEffect(object));
    const namespaces = objects.filter(({ kind }) => kind === "Namespace");
    const found = new Map(
      await Promise.all(
        namespaces.map(async (object) => [object.metadata.name, await look(object)] as const),
      ),
    );
    const existing = await Promise.all(
      objects.map((object) => {
        if (object.kind === "Namespace") return found.get(object.metadata.name);
        // Nothing is in a namespace that is not there.
        const inside = object.metadata.namespace ?? "";
        return found.has(inside) && found.get(inside) === undefined ? undefined : look(object);
      }),
    );
    for (const object of existing) {
      if (object !== undefined && !belongsTo(object, service)) throw inTheWay(object, service);
    }
    return existing;
  }

  /**
   * Of a service that is being made, hardly anything exists: the intent is journaled while we look, and once more,
   * with what was, where something is there. No write begins before both.
   */
  async function observeAndIntend(objects: readonly KubeObject[]) {
    const [found] = await Promise.all([
      observe(objects),
      changesService ? undefined : intend(objects.map(objectEffect)),
    ]);
    return found;
  }

  /** New objects carry this run's label; existing ones keep their maker's. */
  const labelled = (object: KubeObject, existing: KubeObject | undefined) =>
    existing === undefined ? withMaker(object, run) : labelledAs(object, existing);

  async function createdOnce(object: KubeObject): Promise<Written> {
    try {
      return {
        object: await cluster.create(resourceOf(object), labelled(object, undefined)),
        outcome: "created",
      };
    } catch (error) {
      if (!isClusterError(error, "already-exists")) throw error;
      // Ours where an earlier try of this run got through without an answer; another run's is a conflict.
      const existing = await observeEffect(cluster, objectEffect(object));
      if (existing?.metadata.labels?.[labels.run] !== run) throw inTheWay(object, service);
      return { object: existing, outcome: "created" };
    }
  }

  /** This run's label on what exists: an earlier try made it, and its answer may have been lost. */
  const byThisRun = (existing: KubeObject) => existing.metadata.labels?.[labels.run] === run;

  async function written(object: KubeObject, existing: KubeObject | undefined): Promise<Written> {
    // A new namespace is claimed by create: of two runs that want it, one wins.
    if (existing === undefined && object.kind === "Namespace") await createdOnce(object);
    const stored = await write(cluster, labelled(object, existing), existing);
    if (existing === undefined || byThisRun(existing)) return { object: stored, outcome: "created" };
    const same = existing.metadata.resourceVersion === stored.metadata.resourceVersion;
    return { object: stored, outcome: same ? "unchanged" : "changed" };
  }

  /** What a write would not alter; recorded where the run accounts for it, or makes the service. */
  function left(existing: KubeObject): Written {
    return { object: existing, outcome: byThisRun(existing) ? "created" : "unchanged" };
  }

  function accountsFor(object: KubeObject): boolean {
    const key = effectKey(objectEffect(object));
    return byThisRun(object) || effects().some(({ effect }) => effectKey(effect) === key);
  }

  /** What was, of those that exist and that this run did not make. */
  function beforeOf(
    pairs: readonly {
      readonly existing: KubeObject | undefined;
      readonly before: Before["object"] | undefined;
    }[],
  ): readonly Before[] {
    return pairs.flatMap(({ existing, before }) =>
      existing === undefined || before === undefined || byThisRun(existing)
        ? []
        : [{ effect: objectEffect(existing), object: before }],
    );
  }

  /** Waits for all, records those that were written, then throws the first failure. */
  async function settle(writes: readonly Promise<Written>[]): Promise<readonly Written[]> {
    const results = await Promise.allSettled(writes);
    const written = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    recordWritten(written);
    for (const result of results) if (result.status === "rejected") throw result.reason;
    return written;
  }

  return {
    async objects(objects) {
      signal.throwIfAborted();
      const found = await observeAndIntend(objects);
      const pairs = objects.map((object, index) => ({ object, existing: found[index] }));
      const isAsWanted = ({ object, existing }: (typeof pairs)[number]) =>
        existing !== undefined && asWanted(labelled(object, existing), existing);
      const open = pairs.filter((pair) => !isAsWanted(pair));
      const same = pairs
        .filter(isAsWanted)
        .flatMap(({ existing }) => (existing === undefined ? [] : [existing]));
      const before = beforeOf(
        open.map(({ object, existing }) => ({
          existing,
          before: existing && beforeChange(existing, object),
        })),
      );
      if (changesService ? open.length > 0 : before.length > 0) {
        await intend(
          open.map(({ object }) => objectEffect(object)),
          before,
        );
      }
      signal.throwIfAborted();
      recordWritten(same.filter((object) => !changesService || accountsFor(object)).map(left));
      const writes = (kept: (kind: string) => boolean) =>
        settle(
          open
            .filter(({ object }) => kept(object.kind))
            .map(({ object, existing }) => written(object, existing)),
        );
      const first = await writes((kind) => kind === "Namespace");
      const then = await writes((kind) => kind !== "Namespace");
      const all = new Map(
        [...first, ...then, ...same.map(left)].map((one) => [effectKey(objectEffect(one.object)), one]),
      );
      return objects.flatMap((object) => all.get(effectKey(objectEffect(object))) ?? []);
    },

    async createOnce(object) {
      signal.throwIfAborted();
      const [existing] = await observeAndIntend([object]);
      if (existing !== undefined) {
        const kept = left(existing);
        recordWritten([kept]);
        return kept;
      }
      if (changesService) await intend([objectEffect(object)]);
      const made = await createdOnce(object);
      recordWritten([made]);
      return made;
    },

    async adopt(object, given) {
      signal.throwIfAborted();
      await intend([objectEffect(object)]);
      signal.throwIfAborted();
      const { uid } = object.metadata;
      const labelled = { labels: { ...given, [labels.run]: run }, ...(uid === undefined ? {} : { uid }) };
      const body = { metadata: labelled };
      const stored = await cluster.patch(resourceOf(object), refOf(object), { type: "merge", body });
      const adopted = { ...object, metadata: stored.metadata };
      recordWritten([{ object: adopted, outcome: "created" }]);
      return adopted;
    },

    async deleteObjects(objects) {
      signal.throwIfAborted();
      const found = await observe(objects);
      const existing = found.flatMap((object) => object ?? []);
      if (existing.length === 0) return;
      await intend(
        existing.map(objectEffect),
        beforeOf(existing.map((object) => ({ existing: object, before: beforeDeletion(object) }))),
      );
      signal.throwIfAborted();
      const namespaces = new Set(
        existing.flatMap(({ kind, metadata }) => (kind === "Namespace" ? [metadata.name] : [])),
      );
      const deleted = await Promise.allSettled(
        existing.map(async (object) => {
          const { uid, namespace = "" } = object.metadata;
          try {
            // What goes with its namespace guards it until then.
            if (!namespaces.has(namespace)) {
              await cluster.delete(resourceOf(object), refOf(object), {
                propagation: propagationOf(object.kind),
                ...(uid === undefined ? {} : { uid }),
              });
            }
          } catch (error) {
            if (!isClusterError(error, "not-found", "conflict")) throw error;
            // Gone already; or another object took the name, and that one is not ours to delete.
          }
          await waitUntilGone(cluster, clock, objectEffect(object), uid, { signal });
          return object;
        }),
      );
      record(
        deleted.flatMap((result) =>
          result.status === "fulfilled"
            ? [{ effect: objectEffect(result.value), outcome: "deleted" as const }]
            : [],
        ),
      );
      for (const result of deleted) if (result.status === "rejected") throw result.reason;
    },

    async patchObjects(objects, patch) {
      signal.throwIfAborted();
      const existing = (await observe(objects)).flatMap((object) => object ?? []);
      if (existing.length === 0) return;
      await intend(existing.map(objectEffect));
      signal.throwIfAborted();
      await settle(
        existing.map(async (object): Promise<Written> => {
          const { uid } = object.metadata;
          const body = merged(patch, uid === undefined ? {} : { metadata: { uid } });
          const stored = await cluster.patch(resourceOf(object), refOf(object), { type: "merge", body });
          const same = stored.metadata.resourceVersion === object.metadata.resourceVersion;
          return {
            object: { ...object, metadata: stored.metadata },
            outcome: same ? "unchanged" : "changed",
          };
        }),
      );
    },

    async keep(effect, reason, make) {
      signal.throwIfAborted();
      await intend([effect]);
      await make();
      await release([{ effect, outcome: "kept", reason }]);
    },

    async passing(effect, reason, work) {
      signal.throwIfAborted();
      await intend([effect]);
      await work();
      await release([{ effect, outcome: "gone", reason }]);
    },

    async remove(effect, reason, remove) {
      signal.throwIfAborted();
      await intend([effect]);
      const removed = await remove();
      if (removed) record([{ effect, outcome: "deleted" }]);
      else await release([{ effect, outcome: "kept", reason }]);
      return removed;
    },

    async workspace(effect, made, make) {
      signal.throwIfAborted();
      await intend([effect]);
      const result = await make();
      const outcome = made ? "created" : result.changed ? "changed" : "unchanged";
      record([{ effect, outcome }]);
      return result;
    },

    async repository(url, make) {
      signal.throwIfAborted();
      const effect: Effect = { kind: "repository", url };
      await intend([effect]);
      const { created } = await make();
      record([{ effect, outcome: created ? "created" : "unchanged" }]);
      return { created };
    },

    async commit(target, make) {
      signal.throwIfAborted();
      const effect: Effect = { kind: "commit", ...target };
      await intend([effect]);
      const { commit, created } = await make();
      record([{ effect, outcome: created ? "created" : "unchanged", uid: commit }]);
      return { commit };
    },
  };
}
