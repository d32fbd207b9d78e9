import { labels } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { dataHashAnnotation, isMadeFor } from "../../secrets/external-secrets.ts";
import type { Clock } from "../clock.ts";
import { belongsTo, objectEffect, observeEffect, waitUntilGone } from "../objects/objects.ts";
import type { Effect } from "../runs/effect.ts";
import type { RunState } from "../runs/run.ts";

type ObjectEffect = Extract<Effect, { readonly kind: "object" }>;

/** Whether a Secret is nobody's yet, and was made for an ExternalSecret of this run. Pure. */
export function isUntaken({ kind, metadata }: KubeObject, { steps }: Pick<RunState, "steps">): boolean {
  if (kind !== "Secret" || metadata.labels?.[labels.managed] !== undefined) return false;
  if (metadata.annotations?.[dataHashAnnotation] === undefined) return false;
  return steps.some(({ effects }) =>
    effects.some(
      ({ effect, before }) =>
        effect.kind === "object" &&
        effect.type === resources.externalSecrets.kind &&
        effect.name === metadata.name &&
        effect.namespace === metadata.namespace &&
        before === undefined,
    ),
  );
}

/**
 * Runs `remove`, which deletes an effect of a run, and afterwards deletes what External Secrets Operator has made for it
 * and the run has not taken over: a fault may have come between. Nobody reads that Secret, and nothing else accounts for it.
 */
export async function withUntakenSecret<T>(
  {
    cluster,
    clock,
    signal,
  }: { readonly cluster: Cluster; readonly clock: Clock; readonly signal: AbortSignal },
  effect: ObjectEffect,
  service: string,
  remove: () => Promise<T>,
): Promise<T> {
  if (effect.type !== resources.externalSecrets.kind) return remove();
  const request = await observeEffect(cluster, effect);
  const removed = await remove();
  const { name, namespace = "" } = effect;
  const found = await find(cluster, resources.secrets, { name, namespace });
  if (found === undefined) return removed;
  const secret: KubeObject = { ...found, apiVersion: "v1", kind: "Secret" };
  if (belongsTo(secret, service) || !isMadeFor(request, secret)) return removed;
  const { uid } = secret.metadata;
  await cluster.delete(resources.secrets, { name, namespace }, uid === undefined ? {} : { uid });
  await waitUntilGone(cluster, clock, objectEffect(secret), uid, { signal });
  return removed;
}
