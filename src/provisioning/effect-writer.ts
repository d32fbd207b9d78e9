import { labels } from "../application/names.ts";
import { apply, type Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resourceOf } from "../cluster/resource.ts";
import type { Clock } from "./clock.ts";
import type { Effect } from "./effect.ts";
import { StepError } from "./errors.ts";
import type { EffectOutcome, RunEvent } from "./event.ts";
import type { Journal } from "./journal.ts";
import { belongsTo, objectEffect, observeEffect, propagationOf, refOf, waitUntilGone } from "./objects.ts";
import type { StepId } from "./plan.ts";
import type { RunName } from "./run.ts";
import type { EffectWriter } from "./step.ts";

type Recorded = Extract<RunEvent, { readonly type: "EffectsRecorded" }>["results"][number];
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
  /** Aborted: no new write begins; one in hand is finished. */
  readonly signal: AbortSignal;
}

function inTheWay(object: KubeObject, service: string): StepError {
  const { name, namespace } = object.metadata;
  const where = namespace === undefined ? "" : ` in ${namespace}`;
  return new StepError(
    "conflict",
    `${object.kind} ${name}${where} exists and is not ${service}'s; it was left as it is`,
    "rename the service, or have its owner remove the object",
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
  signal,
}: EffectWriterOptions): EffectWriter {
  const at = () => clock.now().toISOString();
  const intend = (effects: readonly Effect[]) =>
    journal.append({ type: "EffectsIntended", at: at(), step, effects: [...effects] });
  const record = (results: readonly Recorded[]) => {
    if (results.length > 0) journal.note({ type: "EffectsRecorded", at: at(), step, results: [...results] });
  };
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

  /** New objects carry this run's label; existing ones keep their maker's. */
  function labelled(object: KubeObject, existing: KubeObject | undefined): KubeObject {
    const maker = existing === undefined ? run : existing.metadata.labels?.[labels.run];
    return {
      ...object,
      metadata: {
        ...object.metadata,
        labels: { ...object.metadata.labels, ...(maker === undefined ? {} : { [labels.run]: maker }) },
      },
    };
  }

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

  async function applied(object: KubeObject, existing: KubeObject | undefined): Promise<Written> {
    // A new namespace is claimed by create: of two runs that want it, one wins.
    if (existing === undefined && object.kind === "Namespace") await createdOnce(object);
    const written = await apply(cluster, resourceOf(object), labelled(object, existing));
    const before = existing?.metadata;
    // This run's label on what exists: an earlier try made it, and its answer may have been lost.
    const byThisRun = before?.labels?.[labels.run] === run;
    if (before === undefined || byThisRun || before.uid !== written.metadata.uid) {
      return { object: written, outcome: "created" };
    }
    const same = before.resourceVersion === written.metadata.resourceVersion;
    return { object: written, outcome: same ? "unchanged" : "changed" };
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
      const existing = await observe(objects);
      await intend(objects.map(objectEffect));
      signal.throwIfAborted();
      const write = (object: KubeObject) => applied(object, existing[objects.indexOf(object)]);
      const namespaces = objects.filter((object) => object.kind === "Namespace");
      const others = objects.filter((object) => object.kind !== "Namespace");
      const first = await settle(namespaces.map(write));
      const then = await settle(others.map(write));
      return [...first, ...then];
    },

    async createOnce(object) {
      signal.throwIfAborted();
      const [existing] = await observe([object]);
      if (existing !== undefined) {
        const byThisRun = existing.metadata.labels?.[labels.run] === run;
        const written: Written = { object: existing, outcome: byThisRun ? "created" : "unchanged" };
        recordWritten([written]);
        return written;
      }
      await intend([objectEffect(object)]);
      const written = await createdOnce(object);
      recordWritten([written]);
      return written;
    },

    async deleteObjects(objects) {
      signal.throwIfAborted();
      if (objects.length === 0) return;
      for (const object of objects) if (!belongsTo(object, service)) throw inTheWay(object, service);
      await intend(objects.map(objectEffect));
      const deleted = await Promise.allSettled(
        objects.map(async (object) => {
          const { uid } = object.metadata;
          try {
            await cluster.delete(resourceOf(object), refOf(object), {
              propagation: propagationOf(object.kind),
              ...(uid === undefined ? {} : { uid }),
            });
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
