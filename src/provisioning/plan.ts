import { z } from "zod";
import { effectSchema } from "./effect.ts";

/** Every step of every operation. A step's file in `steps/` has the same name. */
export const stepIds = [
  "preflight",
  "create_namespace",
  "provision_database",
  "provision_cache",
  "generate_manifests",
  "setup_monitoring",
  "configure_cicd",
  "configure_network",
  "apply_kubernetes",
  "verify",
  "delete_kubernetes",
  "delete_data_stores",
  "delete_namespace",
] as const;
export const stepIdSchema = z.enum(stepIds);
export type StepId = z.output<typeof stepIdSchema>;

export const operations = ["create", "delete"] as const;
export const operationSchema = z.enum(operations);
export type Operation = z.output<typeof operationSchema>;

/** A step as the plan records it: data only, so that any engine can go on with it. */
export const plannedStepSchema = z.strictObject({
  id: stepIdSchema,
  title: z.string(),
  /** Steps that must have succeeded first. */
  needs: z.array(stepIdSchema),
  /** What it will create, change or delete, as far as that is known beforehand. */
  effects: z.array(z.strictObject({ action: z.enum(["create", "change", "delete"]), effect: effectSchema })),
  /** Things a person should know before: a missing CRD and what that means. */
  notes: z.array(z.string()),
});
export type PlannedStep = z.output<typeof plannedStepSchema>;

/** The steps an operation will take, in an order in which each follows what it needs. */
export const planSchema = z.strictObject({
  operation: operationSchema,
  service: z.string(),
  steps: z.array(plannedStepSchema),
});
export type Plan = z.output<typeof planSchema>;
