import { z } from "zod";
import { TerraformError } from "./error.ts";
import { type TerraformModule, workspaceLabel } from "./module.ts";
import { hidden } from "./redact.ts";

/** What a plan does to one resource. */
export type PlannedAction =
  | "create"
  | "update"
  | "replace"
  | "destroy"
  | "read"
  | "no-op"
  /** Terraform lets go of it; it stays. */
  | "forget";

/** One attribute that changes; values are for people, cut and without secrets. */
export interface PlannedField {
  /** For example `settings.0.tier`. */
  readonly path: string;
  readonly before: string | undefined;
  /** Undefined: only known once it is done. */
  readonly after: string | undefined;
}

/** What a plan does to one resource, and why. */
export interface PlannedResource {
  readonly address: string;
  readonly type: string;
  readonly action: PlannedAction;
  /** Whether people's data is in it, and goes where it is destroyed or replaced. */
  readonly holdsData: boolean;
  /** Whether it is taken over, not made. */
  readonly imported: boolean;
  /** Whether it is to be replaced because an earlier run did not finish making it. */
  readonly tainted: boolean;
  readonly fields: readonly PlannedField[];
  /** Of the module's instance that is there: the workspace that its label names. */
  readonly workspace: string | undefined;
}

/** A plan as Terraform wrote it, understood. */
export interface PlannedChanges {
  readonly resources: readonly PlannedResource[];
  /** What somebody changed behind Terraform's back. */
  readonly drift: readonly PlannedResource[];
  /** Addresses of what holds data and would be destroyed or replaced. */
  readonly losesData: readonly string[];
  /** Whether applying it changes anything, outputs included. */
  readonly changes: boolean;
}

type Instance = Pick<TerraformModule<unknown>, "instance" | "labelsOf">;

/** Types of resources that people's data is in. */
const dataTypes = new Set(["google_sql_database_instance", "google_sql_database", "google_redis_instance"]);

const attributes = z.record(z.string(), z.unknown()).nullish();
const resourceSchema = z.object({
  address: z.string(),
  mode: z.enum(["managed", "data"]).catch("managed"),
  type: z.string(),
  action_reason: z.string().optional(),
  change: z.object({
    actions: z.array(z.string()),
    before: attributes,
    after: attributes,
    after_unknown: z.unknown().optional(),
    before_sensitive: z.unknown().optional(),
    after_sensitive: z.unknown().optional(),
    importing: z.looseObject({}).nullish(),
  }),
});
const planSchema = z.object({
  format_version: z.string().regex(/^1\./, "is a format of plans that this program does not know"),
  resource_changes: z.array(resourceSchema).default([]),
  resource_drift: z.array(resourceSchema).default([]),
  output_changes: z.record(z.string(), z.object({ actions: z.array(z.string()) })).default({}),
  applyable: z.boolean().optional(),
  complete: z.boolean().optional(),
  errored: z.boolean().optional(),
});

function actionOf(actions: readonly string[]): PlannedAction {
  switch (actions.join(" ")) {
    case "no-op":
      return "no-op";
    case "create":
      return "create";
    case "read":
      return "read";
    case "update":
      return "update";
    case "delete":
      return "destroy";
    case "forget":
      return "forget";
    case "delete create":
    case "create delete":
    case "create forget":
      return "replace";
    default:
      throw new TerraformError(
        "invalid",
        `the plan wants to do something that this program does not know: ${actions.join(", ")}; nothing was changed`,
        "use a version of Terraform that this platform has been tested with",
        { class: "internal" },
      );
  }
}

/** Fields told of one resource; whoever wants them all reads Terraform's own words. */
const mostFields = 200;
const longestValue = 120;

function shown(value: unknown, sensitive: unknown, told: (text: string) => string): string {
  if (sensitive === true) return hidden;
  const text = told(typeof value === "string" ? JSON.stringify(value) : String(value));
  return text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text;
}

/** The part of a mask beside a value; a mask that is `true` covers all that is in it. */
function within(mask: unknown, key: string): unknown {
  if (typeof mask !== "object" || mask === null) return mask === true;
  return Object.hasOwn(mask, key) ? Reflect.get(mask, key) : false;
}

function keysOf(value: unknown): readonly string[] | undefined {
  return typeof value === "object" && value !== null ? Object.keys(value) : undefined;
}

function* differences(
  before: unknown,
  after: unknown,
  masks: { readonly unknown: unknown; readonly before: unknown; readonly after: unknown },
  told: (text: string) => string,
  path: string,
): Generator<PlannedField> {
  const keys = new Set([
    ...(keysOf(before) ?? []),
    ...(keysOf(after) ?? []),
    ...(keysOf(masks.unknown) ?? []),
  ]);
  if (keys.size > 0 && masks.unknown !== true) {
    for (const key of keys) {
      yield* differences(
        keysOf(before) === undefined ? undefined : Reflect.get(Object(before), key),
        keysOf(after) === undefined ? undefined : Reflect.get(Object(after), key),
        {
          unknown: within(masks.unknown, key),
          before: within(masks.before, key),
          after: within(masks.after, key),
        },
        told,
        path === "" ? told(key) : `${path}.${told(key)}`,
      );
    }
    return;
  }
  if (masks.unknown !== true && (before ?? null) === (after ?? null)) return;
  // A list or block without anything in it is as good as none.
  const nothing = (value: unknown) => (value ?? null) === null || keysOf(value)?.length === 0;
  if (masks.unknown !== true && nothing(before) && nothing(after)) return;
  yield {
    path,
    before: (before ?? null) === null ? undefined : shown(before, masks.before, told),
    after: masks.unknown === true ? undefined : shown(after ?? null, masks.after, told),
  };
}

function workspaceOf(labels: unknown): string | undefined {
  const parsed = z.looseObject({ [workspaceLabel]: z.string() }).safeParse(labels);
  return parsed.success ? parsed.data[workspaceLabel] : undefined;
}

function understood(
  raw: z.output<typeof resourceSchema>,
  told: (text: string) => string,
  module: Instance,
): PlannedResource {
  const { change } = raw;
  const fields: PlannedField[] = [];
  for (const field of differences(
    change.before ?? undefined,
    change.after ?? undefined,
    { unknown: change.after_unknown, before: change.before_sensitive, after: change.after_sensitive },
    told,
    "",
  )) {
    if (fields.length === mostFields) break;
    fields.push(field);
  }
  return {
    address: told(raw.address),
    type: raw.type,
    action: actionOf(change.actions),
    holdsData: raw.mode === "managed" && dataTypes.has(raw.type),
    imported: change.importing !== null && change.importing !== undefined,
    tainted: raw.action_reason === "replace_because_tainted",
    fields,
    workspace:
      raw.address === module.instance && change.before !== null && change.before !== undefined
        ? workspaceOf(module.labelsOf(change.before))
        : undefined,
  };
}

/**
 * Understands what `terraform show -json PLAN` says.
 * @param told - cleans a text and takes secrets out of it
 * @throws TerraformError where it is no complete plan, or wants something this program does not know
 */
export function readPlan(text: string, told: (text: string) => string, module: Instance): PlannedChanges {
  const parsed = planSchema.safeParse(parseJson(text));
  if (!parsed.success || parsed.data.errored === true) {
    throw new TerraformError(
      "invalid",
      "Terraform's plan cannot be understood, or is not complete; nothing was changed",
      "plan again; see that the version of Terraform is one that this platform has been tested with",
      { class: "internal", cause: parsed.error },
    );
  }
  const plan = parsed.data;
  const resources = plan.resource_changes.map((raw) => understood(raw, told, module));
  return {
    resources,
    drift: plan.resource_drift.map((raw) => understood(raw, told, module)),
    losesData: resources
      .filter(({ holdsData, action }) => holdsData && removes(action))
      .map(({ address }) => address),
    changes:
      resources.some(({ action, imported }) => imported || (action !== "no-op" && action !== "read")) ||
      Object.values(plan.output_changes).some(({ actions }) => actions.join() !== "no-op"),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const words: Readonly<Record<PlannedAction, string>> = {
  create: "make",
  update: "change",
  replace: "REPLACE",
  destroy: "DESTROY",
  read: "read",
  "no-op": "leave",
  forget: "let go of",
};

/** A plan in lines for a person, what matters most first; nothing where it changes nothing. */
export function planLines({ resources, drift }: PlannedChanges): readonly string[] {
  const told = resources.filter(({ action, imported }) => imported || action !== "no-op");
  const rank = ({ action }: PlannedResource) => (removes(action) ? 0 : 1);
  return [
    ...[...told]
      .sort((one, other) => rank(one) - rank(other))
      .flatMap(({ action, address, holdsData, imported, fields }) => [
        `${imported ? "take over" : words[action]} ${address}${holdsData && removes(action) ? ", and the data in it" : ""}`,
        ...(action === "update" || action === "replace"
          ? fields.map(
              ({ path, before, after }) =>
                `  ${path}: ${before ?? "nothing"} → ${after ?? "known once it is done"}`,
            )
          : []),
      ]),
    ...drift
      .filter(({ action }) => action !== "no-op")
      .map(({ address, action }) =>
        action === "destroy"
          ? `${address} is gone: somebody deleted it`
          : `${address} is not as it was: somebody changed it`,
      ),
  ];
}

function removes(action: PlannedAction): boolean {
  return action === "destroy" || action === "replace";
}
