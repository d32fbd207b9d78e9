import type { KubeObject } from "../../cluster/object.ts";
import type { InstallationPart } from "../../installation/objects.ts";
import { StepError } from "../errors.ts";
import { isOfInstallation } from "../installation.ts";
import { objectEffect } from "../objects/objects.ts";
import type { StepId } from "../plan.ts";
import type { PlanContext, Step, StepContext, StepResult } from "../step.ts";
import { served } from "./served.ts";

/** A step that writes one part of the installation. */
export interface PartStep {
  readonly id: StepId;
  readonly title: string;
  readonly part: InstallationPart;
  readonly needs: readonly StepId[];
  /** What else to tell before. */
  notes?(context: PlanContext): readonly string[];
  /** Waits until what was written works. */
  finish?(context: StepContext, objects: readonly KubeObject[]): Promise<StepResult | undefined>;
}

/**
 * Objects of a part that this cluster can have. The builders are loaded when they are asked for: nobody but who
 * installs needs them.
 */
export async function objectsOf(
  { cluster, installation }: PlanContext,
  part: InstallationPart,
): Promise<readonly KubeObject[]> {
  if (installation === undefined) {
    throw new StepError("internal", "this run is no installation: there is nothing to install");
  }
  const { installationObjects } = await import("../../installation/objects.ts");
  // The sandbox stores admission policies, and does not enforce them: what is not true is not shown.
  if (part === "guardrails" && cluster.simulated) return [];
  const objects = installationObjects(installation)[part];
  // Of other kinds only the operator has some, its monitoring.
  return part === "operator" ? (await served(cluster, objects)).objects : objects;
}

/** A step that writes a part whole, and deletes what an older version had and this one has not. */
export function writesPart({ id, title, part, needs, notes, finish }: PartStep): Step {
  return {
    id,
    title,
    needs,
    when: () => true,
    async describe(context) {
      const { changesOf } = await import("../../installation/look.ts");
      const changes = await changesOf(context.cluster, part, await objectsOf(context, part));
      return {
        effects: changes.flatMap(({ object, action }) =>
          action === "none" ? [] : [{ action, effect: objectEffect(object) }],
        ),
        notes: notes?.(context) ?? [],
        manifests: changes.flatMap(({ object, action }) =>
          action === "create" || action === "change" ? [object] : [],
        ),
      };
    },
    async apply(context) {
      const { cluster, write } = context;
      const { installedObjects, superfluous } = await import("../../installation/look.ts");
      const objects = await objectsOf(context, part);
      const written = await write.objects(objects);
      const old = superfluous(objects, await installedObjects(cluster, part)).filter(isOfInstallation);
      await write.deleteObjects(old);
      return (
        (await finish?.(context, objects)) ?? {
          summary: summaryOf(
            written.map(({ outcome }) => outcome),
            old.length,
          ),
        }
      );
    },
  };
}

/** `12 created, 1 changed, 3 unchanged`. Pure. */
function summaryOf(outcomes: readonly string[], deleted: number): string {
  const counted = ["created", "changed", "unchanged"].flatMap((outcome) => {
    const number = outcomes.filter((each) => each === outcome).length;
    return number === 0 ? [] : [`${number} ${outcome}`];
  });
  return [...counted, ...(deleted === 0 ? [] : [`${deleted} deleted`])].join(", ") || "nothing to write";
}
