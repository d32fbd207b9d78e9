import { z } from "zod";
import { isKubeObject } from "../../cluster/json.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { planSchema, stepIdSchema } from "../plan.ts";
import { effectSchema } from "./effect.ts";

/**
 * Version of the event schema, recorded in every Run. Readers accept all versions up to it.
 * 2: what was before (`EffectsIntended.before`, `plan.change`), `StepSkipped`, `StepReopened`, the verb of `RunTaken`,
 * `CompensationFailed.retryAt`.
 * 3: `RunRefused`, `ActionRefused`, `RunReleased`.
 */
export const eventVersion = 3;

/** Why a step or a compensation failed, ready for a person: what happened, and what mends it. */
export const runErrorSchema = z.strictObject({
  /**
   * `transient`: worth retrying by itself; `refused`: a guardrail, quota or the other side said no; `conflict`:
   * something that is not ours is in the way; `rights`: credentials or RBAC; `invalid`: the request or an object is
   * wrong; `unhealthy`: made, but did not get ready in time; `unreachable`: no answer; `internal`: our own defect.
   */
  class: z.enum([
    "transient",
    "refused",
    "conflict",
    "rights",
    "invalid",
    "unhealthy",
    "unreachable",
    "internal",
  ]),
  message: z.string(),
  /** What a person can do about it; empty where nothing is known. */
  mend: z.string(),
});
export type RunError = z.output<typeof runErrorSchema>;

/** A refusal as whoever asked would have met it in their own process: kinds are those of `ProvisioningError`. */
export const refusalSchema = z.strictObject({
  kind: z.enum(["usage", "unchanged", "refused", "rights", "busy", "unreachable"]),
  message: z.string(),
  mend: z.string(),
});
export type Refusal = z.output<typeof refusalSchema>;

/** `created`: by this run; `changed`: existed and is ours; `unchanged`: was already as wanted; `deleted`: by a delete operation. */
export const effectOutcomeSchema = z.enum(["created", "changed", "unchanged", "deleted"]);
export type EffectOutcome = z.output<typeof effectOutcomeSchema>;

/** What a compensation did with an effect. `gone`: it was not there any more. */
export const releaseOutcomeSchema = z.enum(["deleted", "restored", "kept", "gone"]);

/** An object as a rollback writes it back: what the platform had set of it, or all that a person can set where it is deleted. */
export const beforeSchema = z.custom<KubeObject>(isKubeObject, "is not a Kubernetes object");

const step = stepIdSchema;
const at = z.string();

/**
 * Everything that can happen to a run. The journal is the ordered list of these; a run's state is their fold
 * (`reduce` in `run.ts`). `at` is RFC 3339 with milliseconds.
 */
export const runEventSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("RunStarted"),
    at,
    epoch: z.int(),
    holder: z.string(),
    standardsHash: z.string(),
    plan: planSchema,
  }),
  /** Another engine, or the same one again, goes on with the run: retry, resume or roll back. */
  z.strictObject({
    type: z.literal("RunTaken"),
    at,
    epoch: z.int(),
    holder: z.string(),
    by: z.string(),
    /** What for; left out by version 1. */
    verb: z.enum(["resume", "retry", "rollback", "cancel"]).optional(),
  }),
  z.strictObject({ type: z.literal("StepStarted"), at, step, attempt: z.int() }),
  /** A line for the log pane. The newest are in the journal, older ones in its archive. */
  z.strictObject({ type: z.literal("StepLogged"), at, step, line: z.string() }),
  /** Written before the effects: from here on they may exist. */
  z.strictObject({
    type: z.literal("EffectsIntended"),
    at,
    step,
    effects: z.array(effectSchema),
    /** Objects as they were, for those that existed and that this run did not make; never a Secret. */
    before: z.array(z.strictObject({ effect: effectSchema, object: beforeSchema })).optional(),
  }),
  z.strictObject({
    type: z.literal("EffectsRecorded"),
    at,
    step,
    results: z.array(
      z.strictObject({
        effect: effectSchema,
        outcome: effectOutcomeSchema,
        /** UID of an object, commit hash of a commit. */
        uid: z.string().optional(),
      }),
    ),
  }),
  z.strictObject({
    type: z.literal("StepSucceeded"),
    at,
    step,
    summary: z.string(),
    warnings: z.array(z.string()),
  }),
  /** With `retryAt` the engine tries again by itself then; without, the run holds or rolls back. */
  z.strictObject({
    type: z.literal("StepFailed"),
    at,
    step,
    attempt: z.int(),
    error: runErrorSchema,
    retryAt: z.string().optional(),
  }),
  /** A person went on without a step that may be left out. */
  z.strictObject({ type: z.literal("StepSkipped"), at, step, by: z.string() }),
  /** What a step had made is not there any more: it is taken again. */
  z.strictObject({ type: z.literal("StepReopened"), at, step, reason: z.string() }),
  z.strictObject({ type: z.literal("RunHeld"), at }),
  /** Stopped by a person or a signal between two writes; anyone can go on. */
  z.strictObject({ type: z.literal("RunInterrupted"), at, reason: z.string() }),
  /** Its engine ended in good order: whoever executes runs goes on with it at once. */
  z.strictObject({ type: z.literal("RunReleased"), at }),
  /** Whoever was to execute the request refused it; nothing was written. */
  z.strictObject({ type: z.literal("RunRefused"), at, refusal: refusalSchema }),
  /** What somebody asked of the run through `spec.action` was refused; the run is as it was. */
  z.strictObject({
    type: z.literal("ActionRefused"),
    at,
    action: z.enum(["resume", "retry", "rollback", "cancel"]),
    refusal: refusalSchema,
  }),
  z.strictObject({ type: z.literal("RunSucceeded"), at }),
  z.strictObject({
    type: z.literal("RollbackStarted"),
    at,
    by: z.string(),
    dataStores: z.enum(["keep-used", "keep", "delete"]),
    /** The service's name, given by whoever asked: protected data may be destroyed. */
    confirmed: z.string().optional(),
  }),
  z.strictObject({ type: z.literal("CompensationStarted"), at, step }),
  z.strictObject({
    type: z.literal("EffectsReleased"),
    at,
    step,
    results: z.array(
      z.strictObject({ effect: effectSchema, outcome: releaseOutcomeSchema, reason: z.string() }),
    ),
  }),
  z.strictObject({ type: z.literal("CompensationSucceeded"), at, step }),
  /** With `retryAt` the engine tries again by itself then; without, its effects stay until somebody retries. */
  z.strictObject({
    type: z.literal("CompensationFailed"),
    at,
    step,
    error: runErrorSchema,
    retryAt: z.string().optional(),
  }),
  z.strictObject({ type: z.literal("RolledBack"), at }),
  z.strictObject({ type: z.literal("RollbackFailed"), at, orphans: z.array(effectSchema) }),
]);
export type RunEvent = z.output<typeof runEventSchema>;
