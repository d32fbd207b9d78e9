import { z } from "zod";

/** Something Terraform tells of while it works, cleaned and without secrets. */
export type TerraformEvent =
  | {
      readonly type: "resource";
      readonly address: string;
      readonly action: "create" | "update" | "delete" | "read" | "import" | "refresh";
      readonly phase: "start" | "progress" | "complete" | "errored";
      /** Seconds since it began. */
      readonly elapsed: number;
    }
  | {
      readonly type: "diagnostic";
      readonly severity: "error" | "warning";
      readonly summary: string;
      readonly detail: string;
      /** The resource it is about; empty where it is about none. */
      readonly address: string;
    }
  | {
      readonly type: "summary";
      readonly add: number;
      readonly change: number;
      readonly remove: number;
      readonly import: number;
    }
  | { readonly type: "outputs"; readonly values: Readonly<Record<string, unknown>> };

const resource = z.object({ addr: z.string() });
const lineSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.enum(["apply_start", "apply_progress", "apply_complete", "apply_errored"]),
    hook: z.object({
      resource,
      action: z.string(),
      elapsed_seconds: z.number().optional(),
    }),
  }),
  z.object({
    type: z.enum(["refresh_start", "refresh_complete"]),
    hook: z.object({ resource }),
  }),
  z.object({
    type: z.literal("diagnostic"),
    diagnostic: z.object({
      severity: z.enum(["error", "warning"]),
      summary: z.string(),
      detail: z.string().catch(""),
      address: z.string().catch(""),
    }),
  }),
  z.object({
    type: z.literal("change_summary"),
    changes: z.object({
      add: z.number().catch(0),
      change: z.number().catch(0),
      remove: z.number().catch(0),
      import: z.number().catch(0),
    }),
  }),
  z.object({
    type: z.literal("outputs"),
    outputs: z.record(z.string(), z.object({ value: z.unknown(), sensitive: z.boolean().catch(true) })),
  }),
]);

const phases = {
  apply_start: "start",
  apply_progress: "progress",
  apply_complete: "complete",
  apply_errored: "errored",
} as const;

const actions = z.enum(["create", "update", "delete", "read", "import"]).catch("update");

/**
 * The event in one line of Terraform's `-json` output. Undefined for types that later versions add, for those that
 * say nothing new, and for lines that are no JSON, of which some commands print a few.
 * @param told - cleans a text and takes secrets out of it
 */
export function eventIn(line: string, told: (text: string) => string): TerraformEvent | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = lineSchema.safeParse(raw);
  if (!parsed.success) return undefined;
  const event = parsed.data;
  switch (event.type) {
    case "apply_start":
    case "apply_progress":
    case "apply_complete":
    case "apply_errored":
      return {
        type: "resource",
        address: told(event.hook.resource.addr),
        action: actions.parse(event.hook.action),
        phase: phases[event.type],
        elapsed: event.hook.elapsed_seconds ?? 0,
      };
    case "refresh_start":
    case "refresh_complete":
      return {
        type: "resource",
        address: told(event.hook.resource.addr),
        action: "refresh",
        phase: event.type === "refresh_start" ? "start" : "complete",
        elapsed: 0,
      };
    case "diagnostic":
      return {
        type: "diagnostic",
        severity: event.diagnostic.severity,
        summary: told(event.diagnostic.summary),
        detail: told(event.diagnostic.detail),
        address: told(event.diagnostic.address),
      };
    case "change_summary":
      return { type: "summary", ...event.changes };
    case "outputs":
      return {
        type: "outputs",
        values: Object.fromEntries(
          Object.entries(event.outputs).flatMap(([name, { value, sensitive }]) =>
            sensitive || value === undefined ? [] : [[name, value]],
          ),
        ),
      };
  }
}
