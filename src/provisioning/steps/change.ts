import { desiredObjects, parts } from "../../application/desired-objects.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { objectEffect } from "../objects/objects.ts";
import { effectKey } from "../runs/effect.ts";
import type { PlanContext, Step } from "../step.ts";

type ChangeContext = Parameters<Step["when"]>[0];

/**
 * Objects the service had before a change and has no more. Both sides are computed from the same standards, so that
 * nothing but the change itself removes anything. Data stores are not among them (`delete_data_stores`). Pure.
 */
export function unused({ application, previous, standards }: ChangeContext): readonly KubeObject[] {
  if (previous === undefined) return [];
  const [before, after] = [desiredObjects(previous, standards), desiredObjects(application, standards)];
  const wanted = new Set(
    parts.flatMap((part) => after[part].map((object) => effectKey(objectEffect(object)))),
  );
  return parts
    .filter((part) => part !== "database" && part !== "cache")
    .flatMap((part) => before[part])
    .filter((object) => !wanted.has(effectKey(objectEffect(object))));
}

/** Whether a change alters what this part of the service consists of; always where there was nothing before. Pure. */
export function partChanges(
  { application, previous, standards }: ChangeContext,
  part: (typeof parts)[number],
): boolean {
  if (previous === undefined) return true;
  const of = (side: PlanContext["application"]) => JSON.stringify(desiredObjects(side, standards)[part]);
  return of(previous) !== of(application);
}
