import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { externalSecretKinds } from "../../secrets/external-secrets.ts";
import { asWanted, labelledAs } from "../engine/write.ts";
import { objectEffect, observeEffect } from "../objects/objects.ts";
import type { PlanContext, Step } from "../step.ts";

const madeOnce = new Set([resources.secrets, ...externalSecretKinds].map(({ kind }) => kind));

type StepDescription = Awaited<ReturnType<Step["describe"]>>;

/**
 * A step's description where all it does is to write these objects. Of a service that exists, only what would be
 * altered is told.
 * @throws ClusterError
 */
export async function writes(
  { cluster, previous }: Pick<PlanContext, "cluster" | "previous">,
  objects: readonly KubeObject[],
  notes: readonly string[] = [],
): Promise<StepDescription> {
  const found = await Promise.all(
    objects.map(async (object) => ({
      object,
      existing: previous === undefined ? undefined : await observeEffect(cluster, objectEffect(object)),
    })),
  );
  const altered = found.filter(
    ({ object, existing }) =>
      existing === undefined ||
      // What makes a credential is made once, and left as it is.
      (!madeOnce.has(object.kind) && !asWanted(labelledAs(object, existing), existing)),
  );
  return {
    effects: altered.map(({ object, existing }) => ({
      action: existing === undefined ? "create" : "change",
      effect: objectEffect(object),
    })),
    notes: [...notes],
    manifests: altered.map(({ object }) => object),
  };
}

/** A step's description where all it does is to delete these objects. */
export function deletions(objects: readonly KubeObject[], notes: readonly string[] = []): StepDescription {
  return {
    effects: objects.map((object) => ({ action: "delete", effect: objectEffect(object) })),
    notes: [...notes],
    manifests: [],
  };
}

/** A Secret as it may be shown: its values are made when it is, and shown nowhere. */
export function withoutValues(secret: KubeObject): KubeObject {
  const { data } = secret;
  if (typeof data !== "object" || data === null) return secret;
  const { data: _, ...rest } = secret;
  return { ...rest, stringData: Object.fromEntries(Object.keys(data).map((key) => [key, "(generated)"])) };
}
