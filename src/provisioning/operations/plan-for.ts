import type { ApplicationSpec } from "../../application/application.ts";
import { type FieldChange, specDiff } from "../../application/spec-diff.ts";
import { installationSubject } from "../installation.ts";
import type { Operation, StepId } from "../plan.ts";
import type { PlanWithManifests } from "../provisioner.ts";
import { aboutService } from "../runs/service-of-run.ts";
import type { PlanContext, Step } from "../step.ts";
import { stepsOf } from "../steps/index.ts";

/** Steps of an operation that apply to this context. */
export function stepsFor(operation: Operation, context: PlanContext): readonly Step[] {
  return stepsOf[operation].filter((step) => step.when(context));
}

/** Without those that another need has to wait for anyway. Pure. */
function directNeeds(needs: readonly StepId[], needsOf: (need: StepId) => readonly StepId[]): StepId[] {
  const behind = (need: StepId): readonly StepId[] =>
    needsOf(need).flatMap((further) => [further, ...behind(further)]);
  const implied = new Set(needs.flatMap(behind));
  return [...new Set(needs)].filter((need) => !implied.has(need));
}

/** Computes the plan: who depends on a step that is left out depends on what that one depends on. */
export async function planFor(operation: Operation, context: PlanContext): Promise<PlanWithManifests> {
  const steps = stepsFor(operation, context);
  const known = new Set(steps.map(({ id }) => id));
  const all = new Map(stepsOf[operation].map((step) => [step.id, step.needs]));
  const inPlan = (needs: readonly StepId[]): readonly StepId[] =>
    needs.flatMap((need) => (known.has(need) ? [need] : inPlan(all.get(need) ?? [])));
  const described = await Promise.all(steps.map((step) => step.describe(context)));
  const stores = described.flatMap(({ terms = [] }) => terms);
  return {
    plan: {
      operation,
      ...(context.installation === undefined
        ? aboutService(context.application.metadata)
        : { service: installationSubject }),
      change: context.change,
      steps: steps.map(({ id, title, needs, skippable }, index) => ({
        id,
        title,
        needs: directNeeds(inPlan(needs), (need) => inPlan(all.get(need) ?? [])),
        effects: [...(described[index]?.effects ?? [])],
        notes: [...(described[index]?.notes ?? [])],
        ...(skippable === true ? { skippable } : {}),
      })),
    },
    manifests: described.flatMap(({ manifests }) => manifests),
    diff: effectiveDiff(context),
    ...(stores.length === 0 ? {} : { stores }),
  };
}

/** What differs of the Application; resources that it leaves to the standards are told as what they are. */
function effectiveDiff({ change: { before, after }, standards }: PlanContext): readonly FieldChange[] {
  const resources = before?.resources ?? after?.resources;
  const whole = (spec: ApplicationSpec | undefined) =>
    spec === undefined || resources === undefined
      ? spec
      : { ...spec, resources: spec.resources ?? standards.workload.resources };
  return specDiff(whole(before), whole(after));
}
