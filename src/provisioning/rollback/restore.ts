import type { Cluster } from "../../cluster/cluster.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import type { Clock } from "../clock.ts";
import { asWanted, write } from "../engine/write.ts";
import { StepError } from "../errors.ts";
import { objectEffect, observeEffect, waitUntilGone } from "../objects/objects.ts";
import { waitUntilReady } from "../objects/readiness.ts";
import type { Effect } from "../runs/effect.ts";
import type { RunEvent } from "../runs/event.ts";

type Released = Extract<RunEvent, { readonly type: "EffectsReleased" }>["results"][number];

export interface RestoreContext {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long a restored workload is waited for, in milliseconds. */
  readonly readyWithinMs: number;
  log(line: string): void;
}

/** An object of a run and what it was before the run. */
export interface Restorable {
  readonly effect: Effect;
  readonly before: KubeObject;
}

/**
 * Writes objects back as they were: the Namespace first, then the Application, then what it owns; and waits for
 * workloads, without failing where they do not get ready, because they may not have been before.
 * @returns what was written back, also where something failed, and the first failure
 */
export async function restoreAll(
  context: RestoreContext,
  objects: readonly Restorable[],
): Promise<{
  readonly released: readonly Released[];
  readonly failure: { readonly error: unknown } | undefined;
}> {
  const released: Released[] = [];
  let failure: { readonly error: unknown } | undefined;
  const rank = ({ before: { kind } }: Restorable) =>
    kind === "Namespace" ? 0 : kind === "Application" ? 1 : 2;
  for (const order of [0, 1, 2]) {
    if (failure !== undefined) break;
    const results = await Promise.allSettled(
      objects.filter((object) => rank(object) === order).map((object) => restore(context, object)),
    );
    for (const result of results) {
      if (result.status === "fulfilled") released.push(result.value);
      else failure ??= { error: result.reason };
    }
  }
  return { released, failure };
}

async function restore(context: RestoreContext, { effect, before }: Restorable): Promise<Released> {
  const { cluster, clock, signal, log } = context;
  const desired = await withLivingOwners(cluster, before);
  let existing = await observeEffect(cluster, objectEffect(before));
  if (existing?.metadata.deletionTimestamp !== undefined) {
    await waitUntilGone(cluster, clock, objectEffect(before), existing.metadata.uid, {
      signal,
      onProgress: log,
    });
    existing = undefined;
  }
  const restored: Released = { effect, outcome: "restored", reason: "as before this run" };
  if (existing !== undefined && asWanted(desired, existing)) return restored;
  await write(cluster, desired, existing);
  log(`${before.kind} ${before.metadata.name} is as it was`);
  if (before.kind !== "Deployment" && before.kind !== "StatefulSet") return restored;
  try {
    await waitUntilReady(before, { cluster, clock, signal, withinMs: context.readyWithinMs, log });
    return restored;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof StepError)) throw error;
    return { ...restored, reason: `as before this run, and not ready: ${error.message}` };
  }
}

/** An Application that was made again has another UID: what it owns would be collected at once under the old one. */
async function withLivingOwners(cluster: Cluster, object: KubeObject): Promise<KubeObject> {
  const { ownerReferences, ...metadata } = object.metadata;
  if (ownerReferences === undefined) return object;
  const living = await Promise.all(
    ownerReferences.map(async (reference) => {
      if (reference.kind !== resources.applications.kind) return [reference];
      const { apiVersion, kind: type, name } = reference;
      const { namespace } = metadata;
      const owner = await observeEffect(cluster, {
        kind: "object",
        apiVersion,
        type,
        name,
        ...(namespace === undefined ? {} : { namespace }),
      });
      return owner?.metadata.uid === undefined ? [] : [{ ...reference, uid: owner.metadata.uid }];
    }),
  );
  const references = living.flat();
  return {
    ...object,
    metadata: { ...metadata, ...(references.length === 0 ? {} : { ownerReferences: references }) },
  };
}
