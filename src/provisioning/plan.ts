import { z } from "zod";
import { applicationSpecSchema } from "../application/schema.ts";
import { effectSchema } from "./runs/effect.ts";

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
  "migrate",
  "apply_kubernetes",
  "protect_data_stores",
  "remove_unused",
  "verify",
  "delete_kubernetes",
  "lift_protection",
  "snapshot_data_stores",
  "delete_data_stores",
  "delete_namespace",
  "delete_orphans",
  "enable_credentials",
  "switch_credentials",
  "prove_credentials",
  "revoke_credentials",
  "backup_database",
  "restore_database",
  "swap_database",
  "delete_old_database",
  "prove_source",
  "copy_source",
  "close_source",
  "copy_closed",
  "roll_pods",
  "clone_database",
  "prove_clone",
  "switch_instance",
  "install_types",
  "install_standards",
  "install_rights",
  "install_operator",
  "install_guardrails",
  "remove_operator",
  "release_applications",
  "remove_guardrails",
  "remove_rights",
] as const;
export const stepIdSchema = z.enum(stepIds);
export type StepId = z.output<typeof stepIdSchema>;

/**
 * What a run does with its service. `rollback` is a release rollback: back to an earlier release. `cleanup` deletes
 * orphans; `rotate` changes the password of a data store; `backup`, `restore` and
 * `import` are about its database; `provision` makes data stores that an applied Application asks for. `install` and `uninstall` are about no service, but about the platform itself (`installation.ts`).
 */
export const operations = [
  "create",
  "scale",
  "deploy",
  "set",
  "rollback",
  "delete",
  "cleanup",
  "rotate",
  "backup",
  "restore",
  "import",
  "provision",
  "install",
  "uninstall",
] as const;
export const operationSchema = z.enum(operations);
export type Operation = z.output<typeof operationSchema>;

/** An operation as a person reads it: what a run of it is called, what it did, and what it does. */
export const operationWords: Readonly<
  Record<Operation, { readonly name: string; readonly done: string; readonly doing: string }>
> = {
  create: { name: "create", done: "created", doing: "creating" },
  scale: { name: "scale", done: "scaled", doing: "scaling" },
  deploy: { name: "deploy", done: "deployed", doing: "deploying" },
  set: { name: "set", done: "changed", doing: "changing" },
  rollback: { name: "take back", done: "taken back", doing: "taking back" },
  delete: { name: "delete", done: "deleted", doing: "deleting" },
  cleanup: { name: "clean up", done: "cleaned up", doing: "cleaning up" },
  rotate: { name: "rotate", done: "given new credentials", doing: "giving new credentials" },
  backup: { name: "back up", done: "backed up", doing: "backing up" },
  restore: { name: "restore", done: "restored", doing: "restoring" },
  import: { name: "import", done: "given the imported data", doing: "importing" },
  provision: { name: "provision", done: "given its data stores", doing: "provisioning" },
  install: { name: "install", done: "installed", doing: "installing" },
  uninstall: { name: "uninstall", done: "uninstalled", doing: "uninstalling" },
};

/** Operations that change a service that exists, by changing its Application. */
export type ChangeOperation = Exclude<
  Operation,
  | "create"
  | "delete"
  | "cleanup"
  | "rotate"
  | "backup"
  | "restore"
  | "import"
  | "provision"
  | InstallationOperation
>;

/** Operations on the platform itself. No operator executes them: it may not change its own rights. */
export type InstallationOperation = "install" | "uninstall";

/** Whether an operation is on the platform itself. Pure. */
export function isInstallation(operation: Operation): operation is InstallationOperation {
  return operation === "install" || operation === "uninstall";
}

/**
 * What the run makes of the service's Application, fixed when the run begins: whoever goes on with it works
 * towards the same end, and a rollback knows what was.
 */
export const plannedChangeSchema = z.strictObject({
  /** Left out for a create. */
  before: applicationSpecSchema.optional(),
  /** Left out for a delete. */
  after: applicationSpecSchema.optional(),
  /** Number of the release that runs before and after; a scale makes none. */
  releaseBefore: z.int().optional(),
  release: z.int().optional(),
  /** The commit that the release's image was built from, where whoever deployed it said so. */
  commit: z.string().optional(),
});
export type PlannedChange = z.output<typeof plannedChangeSchema>;

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
  /** True where a person may go on without it once it has failed. */
  skippable: z.literal(true).optional(),
});
export type PlannedStep = z.output<typeof plannedStepSchema>;

/** The steps an operation will take, in an order in which each follows what it needs. */
export const planSchema = z.strictObject({
  operation: operationSchema,
  service: z.string(),
  /** The one that the service shares with others; left out where it has one of its own. */
  sharedNamespace: z.string().optional(),
  /** Left out by version 1 of the events. */
  change: plannedChangeSchema.optional(),
  steps: z.array(plannedStepSchema),
});
export type Plan = z.output<typeof planSchema>;
