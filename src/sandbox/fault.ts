import { z } from "zod";

const verb = z.enum(["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]);
const writes: readonly string[] = ["create", "update", "patch", "delete", "deletecollection"];

/** What a request must look like for a fault to hit it. Everything left out matches anything; `*` in a text matches any run of characters. */
const requestPattern = z.strictObject({
  /** Left out: every write for refusals and half-applied writes, every request otherwise. */
  verbs: z.array(verb).min(1).optional(),
  /** Plural with its group as RBAC writes it: `deployments.apps`, `pods`, `runs.platform.company.com`; the plural alone matches any group. */
  resource: z.string().min(1).optional(),
  namespace: z.string().min(1).optional(),
  name: z.string().min(1).optional(),
  /** The step that makes the request: the HTTP header `x-platform-step`. */
  step: z.string().min(1).optional(),
});
export type RequestPattern = z.output<typeof requestPattern>;

/** How long a fault stays: a number of hits, a duration, or both; whichever ends first removes it. */
const limits = {
  when: requestPattern.prefault({}),
  /** Requests it may still hit. */
  times: z.int().min(1).max(1_000_000).optional(),
  /** Milliseconds from now until it removes itself. */
  forMs: z.int().min(1).max(86_400_000).optional(),
};

/** What is asked of `POST /sandbox/faults` and of `platform sandbox fault`. */
export const faultRequestSchema = z.discriminatedUnion("kind", [
  /** The request is answered with this Status, and nothing is stored. */
  z.strictObject({
    kind: z.literal("refuse"),
    status: z.int().min(400).max(599).default(500),
    reason: z.string().default("InternalError"),
    message: z.string().default("refused by an injected fault"),
    ...limits,
  }),
  /** The request waits before it is served. */
  z.strictObject({ kind: z.literal("delay"), ms: z.int().min(1).max(600_000), ...limits }),
  /** The write is stored, but its answer is lost: the connection is reset, or answered with 500. */
  z.strictObject({
    kind: z.literal("half-apply"),
    answer: z.enum(["reset", "error"]).default("reset"),
    ...limits,
  }),
  /** The server is gone: every connection is reset. */
  z.strictObject({ kind: z.literal("down"), ...limits }),
  /** Watches that are open now are cut, and new ones while it lasts. Without a limit: only those open now. */
  z.strictObject({ kind: z.literal("drop-watches"), ...limits }),
  /** Access reviews answer no, and the requests themselves are refused with 403. */
  z.strictObject({ kind: z.literal("forbid"), ...limits }),
]);
export type FaultRequest = z.input<typeof faultRequestSchema>;

/** A fault as it is stored and listed. */
export type Fault = z.output<typeof faultRequestSchema> & {
  readonly id: number;
  /** RFC 3339 with milliseconds; left out: until its hits are used up or somebody removes it. */
  readonly until?: string;
};

/** A request as faults see it. */
export interface FaultableRequest {
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  /** Lower-case plural; empty for requests that are about no resource, such as discovery. */
  readonly resource: string;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** The `x-platform-step` header. */
  readonly step?: string | undefined;
}

function matchesText(pattern: string | undefined, text: string | undefined): boolean {
  if (pattern === undefined) return true;
  if (text === undefined) return false;
  const parts = pattern.split("*");
  const first = parts[0] ?? "";
  if (parts.length === 1) return text === first;
  const last = parts[parts.length - 1] ?? "";
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function matchesResource(pattern: string | undefined, request: FaultableRequest): boolean {
  if (pattern === undefined) return true;
  const plain = request.resource;
  const full = request.group === "" ? plain : `${plain}.${request.group}`;
  if (matchesText(pattern, plain) || matchesText(pattern, full)) return true;
  return request.subresource !== undefined && matchesText(pattern, `${plain}/${request.subresource}`);
}

/** Whether a fault of this kind and pattern is about the request. */
export function isAbout(fault: Pick<Fault, "kind" | "when">, request: FaultableRequest): boolean {
  if (fault.kind === "down") return true;
  const { when } = fault;
  if (fault.kind === "drop-watches") {
    if (request.verb !== "watch") return false;
  } else if (when.verbs !== undefined) {
    if (!when.verbs.some((candidate) => candidate === request.verb)) return false;
  } else if (fault.kind === "refuse" || fault.kind === "half-apply") {
    if (!writes.includes(request.verb)) return false;
  }
  if (request.resource === "" && fault.kind !== "delay") return false;
  return (
    matchesResource(when.resource, request) &&
    matchesText(when.namespace, request.namespace) &&
    matchesText(when.name, request.name) &&
    matchesText(when.step, request.step)
  );
}
