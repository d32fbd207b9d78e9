import { z } from "zod";
import { changeParametersSchema } from "../../application/change.ts";
import { labels, systemNamespace } from "../../application/names.ts";
import { serviceRequestSchema } from "../../application/request.ts";
import { backupNameSchema } from "../../backups/backup.ts";
import { sourceNameSchema } from "../../backups/import-source.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { cleanText } from "../../cluster/text.ts";
import { rotatable } from "../../secrets/rotation.ts";
import { ProvisioningError } from "../errors.ts";
import { installationParametersSchema } from "../installation.ts";
import { type Operation, operationSchema, stepIdSchema } from "../plan.ts";
import { eventVersion, type RunEvent, runEventSchema } from "./event.ts";
import type { RunName, RunPhase, RunState } from "./run.ts";
import { initialState, type RunRequest, replay } from "./run-reducer.ts";

/** What becomes of data stores when a service is deleted or a run rolled back. */
export const dataStoreChoices = ["keep-used", "keep", "delete"] as const;

/** An orphan that a cleanup deletes: the object with this UID, and no other of its name. */
const orphanTargetSchema = z.strictObject({
  apiVersion: z.string().max(253).describe("For example apps/v1."),
  type: z.string().max(63).describe("Kind of the object."),
  namespace: z.string().max(63).optional().describe("Left out for objects without one."),
  name: z.string().max(253).describe("Name of the object."),
  uid: z.string().max(63).describe("Its UID."),
});
export type OrphanTarget = z.output<typeof orphanTargetSchema>;

/** A repository that a cleanup deletes. */
const repositoryTargetSchema = z.strictObject({
  url: z.string().max(1024).describe("Its URL, without credentials."),
  run: z.string().max(253).describe("The run that made it: no other's is deleted."),
});
export type RepositoryTarget = z.output<typeof repositoryTargetSchema>;

/** The Application that a run makes data stores for, as it was when the operator asked for the run. */
const applicationTargetSchema = z.strictObject({
  uid: z.string().max(63).describe("Its UID."),
  generation: z.int().min(0).describe("Generation of its spec."),
  standards: z.string().max(128).describe("Hash of the standards in force."),
});
export type ApplicationTarget = z.output<typeof applicationTargetSchema>;

/** `spec` of a Run: a request, not a program. Immutable, but for `action` and its options. */
export const runSpecSchema = z.strictObject({
  operation: operationSchema.describe("What to do with the service."),
  service: z.string().min(1).max(63).describe("The service's name."),
  // Not "namespace": that is a reserved word of the rules that guard it.
  sharedNamespace: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
    .optional()
    .describe("The namespace that the service shares with others; left out: its own, app- and its name."),
  team: z.string().min(1).max(63).describe("The team that owns the service."),
  parameters: z
    .strictObject({
      request: serviceRequestSchema.optional().describe("For a create: what was asked for."),
      ...changeParametersSchema.shape,
      dataStores: z
        .enum(dataStoreChoices)
        .optional()
        .describe("For a delete, and where set takes one away: what becomes of data stores."),
      confirmed: z
        .string()
        .max(63)
        .optional()
        .describe("The service's name, given by whoever asked: protected data may be destroyed."),
      onFailure: z
        .enum(["rollback", "hold"])
        .optional()
        .describe("What becomes of the run where a step fails for good; left out: as its operation has it."),
      credential: z
        .enum(rotatable)
        .optional()
        .describe("For a rotate: the data store whose password changes."),
      backup: backupNameSchema.optional().describe("For a restore: name of the backup to restore."),
      toTime: z
        .string()
        .max(40)
        .regex(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/)
        .optional()
        .describe("For a restore of a Cloud SQL database: the moment to go back to, RFC 3339 in UTC."),
      from: sourceNameSchema
        .optional()
        .describe(
          "For an import: name of the Secret, in the service's namespace, that says where the data is.",
        ),
      application: applicationTargetSchema
        .optional()
        .describe("For a provision: the Application that asks for data stores."),
      orphans: z.array(orphanTargetSchema).max(100).optional().describe("For a cleanup: objects to delete."),
      repositories: z
        .array(repositoryTargetSchema)
        .max(20)
        .optional()
        .describe("For a cleanup: repositories to delete."),
      installation: installationParametersSchema.optional().describe("For an install: what it brings."),
    })
    .describe("What the operation is to do, in its own terms."),
  requestedBy: z.string().min(1).max(512).describe("Who asked, as the cluster's authentication names them."),
  action: z
    .enum(["retry", "resume", "rollback", "cancel"])
    .optional()
    .describe("What to do with the run now; on-call may set it."),
  actionOptions: z
    .strictObject({
      onFailure: z.enum(["rollback", "hold"]).optional().describe("For resume and retry."),
      skip: z
        .array(stepIdSchema)
        .max(20)
        .optional()
        .describe("For retry: steps that failed, may be left out, and are."),
      lockHolder: z
        .string()
        .max(320)
        .optional()
        .describe(
          "For retry: USER@HOST whose lock of a data store's state is taken, since it is certainly dead.",
        ),
      dataStores: z.enum(dataStoreChoices).optional().describe("For rollback: what becomes of data stores."),
      confirmed: z
        .string()
        .max(63)
        .optional()
        .describe("For rollback: the service's name, where protected data is to be destroyed."),
    })
    .optional()
    .describe("How to do it; counts together with the action only."),
});
export type RunSpec = z.output<typeof runSpecSchema>;

/** Which ConfigMaps beside the Run hold log lines that it has no more room for: from `first` to before `next`. */
const logChunksSchema = z.looseObject({ first: z.int().min(1), next: z.int().min(1) });
export type LogChunks = Pick<z.output<typeof logChunksSchema>, "first" | "next">;

/** `status` of a Run: the journal. Written only by who executes the run. */
export const runStatusSchema = z.looseObject({
  phase: z.string().default("Pending"),
  message: z.string().default(""),
  epoch: z.int().default(0),
  holder: z.string().default(""),
  /** Tells two engines of one process apart. */
  token: z.string().default(""),
  eventVersion: z.int().default(eventVersion),
  logChunks: logChunksSchema.default({ first: 1, next: 1 }),
  events: z.array(z.unknown()).default([]),
});

/** A Run as read from the cluster. */
export interface RunRecord {
  readonly name: RunName;
  readonly object: KubeObject;
  readonly spec: RunSpec;
  readonly epoch: number;
  readonly token: string;
  readonly logChunks: LogChunks;
  readonly events: readonly RunEvent[];
  readonly state: RunState;
}

function isRunName(name: string): name is RunName {
  return name.length <= 253 && /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name);
}

/**
 * A name that came from the cluster or from a person as a Run's name.
 * @throws ProvisioningError `usage` where no run can have it
 */
export function runName(name: string): RunName {
  if (isRunName(name)) return name;
  throw new ProvisioningError("usage", "that is no run's name", "see them with: platform run list");
}

/** A name for a new run: `api-gateway-create-7f3k`. */
export function newRunName(
  service: string,
  operation: Operation,
  randomBytes: (size: number) => Uint8Array,
): RunName {
  const alphabet = "23456789abcdefghjkmnpqrstuvwxyz";
  const suffix = [...randomBytes(5)].map((byte) => alphabet[byte % alphabet.length] ?? "x").join("");
  return runName(`${service}-${operation}-${suffix}`);
}

/** On a Run: its operation. */
export const operationLabel = "platform.company.com/operation";

/** A new Run, ready to be created. */
export function runObject(name: RunName, spec: RunSpec): KubeObject {
  return {
    apiVersion: "platform.company.com/v1",
    kind: "Run",
    metadata: {
      name,
      namespace: systemNamespace,
      labels: {
        [labels.managed]: "true",
        [labels.service]: spec.service,
        [labels.team]: spec.team,
        [operationLabel]: spec.operation,
        "app.kubernetes.io/managed-by": "platform",
      },
    },
    spec,
  };
}

/** The same JSON, its texts safe for a terminal: whoever may write Runs may not write to screens. */
function cleaned(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== "object" || value === null) return value;
  // What a rollback writes back must be what was, to the letter; it is shown nowhere.
  const intended = "type" in value && value.type === "EffectsIntended";
  const exact = (key: string) => intended && key === "before";
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, exact(key) ? child : cleaned(child)]),
  );
}

/**
 * Reads a Run with its whole journal.
 * @throws ProvisioningError `refused` for a Run that a newer version of this program wrote, or that is damaged
 */
export function readRun(object: KubeObject): RunRecord {
  const name = runName(object.metadata.name);
  const status = runStatusSchema.safeParse(cleaned(object.status ?? {}));
  const spec = runSpecSchema.safeParse(cleaned(object.spec));
  if (status.success && status.data.eventVersion > eventVersion) {
    throw new ProvisioningError(
      "refused",
      `run ${name} was written by a newer version of platform`,
      "install that version",
    );
  }
  const events = status.success ? z.array(runEventSchema).safeParse(status.data.events) : undefined;
  if (!spec.success || !status.success || events === undefined || !events.success) {
    const problem = spec.error ?? status.error ?? events?.error;
    throw new ProvisioningError(
      "refused",
      `run ${name} cannot be read: ${problem?.issues[0]?.message ?? "damaged"} at ${problem?.issues[0]?.path.join(".") ?? "status"}`,
      `look at it with: kubectl get run ${name} -n ${systemNamespace} -o yaml`,
    );
  }
  return {
    name,
    object,
    spec: spec.data,
    epoch: status.data.epoch,
    token: status.data.token,
    logChunks: status.data.logChunks,
    events: events.data,
    state: replay(requestOf(object, spec.data), events.data),
  };
}

/**
 * Runs as a list has them. A request that nobody can read and nobody has begun with is left out: anybody may ask about a
 * service of this name in a namespace of theirs, and is not to stand in the way of the others.
 * @throws ProvisioningError `refused` for one with a journal, as {@link readRun} does
 */
export function readRuns(items: readonly KubeObject[]): readonly RunRecord[] {
  return items.flatMap((item) => {
    try {
      return [readRun({ ...item, apiVersion: "platform.company.com/v1", kind: "Run" })];
    } catch (error) {
      if (item.status === undefined && error instanceof ProvisioningError) return [];
      throw error;
    }
  });
}

/** A run for a list: one that cannot be read is shown, with the reason, instead of hiding all others. */
export function readRunForList(object: KubeObject): RunState {
  try {
    return readRun(object).state;
  } catch (error) {
    if (!(error instanceof ProvisioningError)) throw error;
    const spec = z
      .looseObject({
        operation: operationSchema.catch("create"),
        service: z.string().catch(""),
        sharedNamespace: z.string().optional().catch(undefined),
        team: z.string().catch(""),
        requestedBy: z.string().catch(""),
      })
      .parse(cleaned(object.spec ?? {}));
    const { name, creationTimestamp = "" } = object.metadata;
    const { operation, service, sharedNamespace, team, requestedBy } = spec;
    return {
      ...initialState({
        name: runName(name),
        operation,
        service,
        ...(sharedNamespace === undefined ? {} : { sharedNamespace }),
        team,
        requestedBy,
        requestedAt: creationTimestamp,
      }),
      phase: "Held",
      failure: {
        step: "preflight",
        error: { class: "internal", message: error.message, mend: error.mend },
      },
    };
  }
}

/**
 * The order of a list of runs. By when an engine took each: the server's times of creation are whole seconds. Pure.
 */
export function newestFirst(one: RunState, other: RunState): number {
  const since = ({ startedAt, requestedAt }: RunState) => Date.parse(startedAt ?? requestedAt) || 0;
  return since(other) - since(one);
}

/** What a run is before its first event. */
export function requestOf(object: KubeObject, spec: RunSpec): RunRequest {
  return {
    name: runName(object.metadata.name),
    operation: spec.operation,
    service: spec.service,
    ...(spec.sharedNamespace === undefined ? {} : { sharedNamespace: spec.sharedNamespace }),
    team: spec.team,
    requestedBy: spec.requestedBy,
    requestedAt: object.metadata.creationTimestamp ?? "",
  };
}

/** The line a list of runs shows beside the phase. */
export function runMessage(state: RunState): string {
  const titles = (phase: string) =>
    state.steps.filter((step) => step.phase === phase).map(({ title }) => title);
  const phase: RunPhase = state.phase;
  switch (phase) {
    case "Pending":
      return "requested";
    case "Running":
      return [...titles("Running"), ...titles("Retrying")].join(", ");
    case "RollingBack":
      return `rolling back: ${titles("Compensating").join(", ")}`.replace(/: $/, "");
    case "Held":
    case "RolledBack":
    case "Interrupted": {
      const title = state.steps.find((step) => step.id === state.failure?.step)?.title;
      return state.failure === undefined
        ? ""
        : `${title ?? state.failure.step}: ${state.failure.error.message}`;
    }
    case "Succeeded":
      return state.steps.flatMap((step) => step.warnings)[0] ?? "";
    case "RollbackFailed":
      return `${state.orphans.length} effects remain`;
    case "Refused":
      return state.refusal?.message ?? "";
  }
}
