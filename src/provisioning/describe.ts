import type { KubeObject } from "../cluster/object.ts";
import { objectEffect } from "./objects.ts";
import type { Step } from "./step.ts";

type StepDescription = Awaited<ReturnType<Step["describe"]>>;

/** A step's description where all it does is to write these objects. */
export function creations(objects: readonly KubeObject[], notes: readonly string[] = []): StepDescription {
  return {
    effects: objects.map((object) => ({ action: "create", effect: objectEffect(object) })),
    notes: [...notes],
    manifests: objects,
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
