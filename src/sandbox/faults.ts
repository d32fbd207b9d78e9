import type { DatabaseSync, StatementSync } from "node:sqlite";
import { z } from "zod";
import {
  type Fault,
  type FaultableRequest,
  type FaultRequest,
  faultRequestSchema,
  isAbout,
} from "./fault.ts";

/** What to do with a request: wait first, then serve it, or not. */
export interface FaultVerdict {
  readonly delayMs: number;
  readonly outcome:
    | { readonly action: "serve" }
    /** Answer with this Status; store nothing. */
    | {
        readonly action: "refuse";
        readonly status: number;
        readonly reason: string;
        readonly message: string;
      }
    /** Serve it, then lose the answer: reset the connection, or answer 500 `InternalError`. */
    | { readonly action: "half-apply"; readonly answer: "reset" | "error" }
    /** Reset the connection without an answer. */
    | { readonly action: "reset" };
}

const row = z.object({
  id: z.number(),
  fault: z.string(),
  until: z.number().nullable(),
  left: z.number().nullable(),
});
const storedFault = z.string().transform((text) => faultRequestSchema.parse(JSON.parse(text)));
const served: FaultVerdict = { delayMs: 0, outcome: { action: "serve" } };

/**
 * Injected faults, as rows of the store: every process that shares the store sees them, and a hit is counted
 * once over all of them. Make one after the store is open; `now` is in milliseconds.
 */
export class Faults {
  readonly #database: DatabaseSync;
  readonly #now: () => number;
  readonly #all: StatementSync;
  readonly #newest: StatementSync;

  constructor(database: DatabaseSync, now: () => number) {
    this.#database = database;
    this.#now = now;
    database.exec(
      "CREATE TABLE IF NOT EXISTS injected_faults (id INTEGER PRIMARY KEY AUTOINCREMENT, fault TEXT NOT NULL, until INTEGER, left INTEGER)",
    );
    // Asked at every request and every change that a watch is told of.
    this.#all = database.prepare("SELECT id, fault, until, left FROM injected_faults ORDER BY id");
    this.#newest = database.prepare("SELECT coalesce(max(id), 0) AS id FROM injected_faults");
  }

  /** @throws ZodError for a request that is none. */
  add(request: FaultRequest): Fault {
    const parsed = faultRequestSchema.parse(request);
    const forMs = parsed.forMs ?? (isMomentary(parsed) ? momentMs : undefined);
    const until = forMs === undefined ? null : this.#now() + forMs;
    const { lastInsertRowid } = this.#database
      .prepare("INSERT INTO injected_faults (fault, until, left) VALUES (?, ?, ?)")
      .run(JSON.stringify(parsed), until, parsed.times ?? null);
    return withId(Number(lastInsertRowid), parsed, until, parsed.times ?? null);
  }

  /** Those that may still hit something, oldest first; `times` is what is left of it. */
  list(): Fault[] {
    const now = this.#now();
    return this.#all
      .all()
      .map((found) => row.parse(found))
      .filter(({ until, left }) => (until === null || until > now) && (left === null || left > 0))
      .map(({ id, fault, until, left }) => withId(id, storedFault.parse(fault), until, left));
  }

  /** Whether there was one. */
  remove(id: number): boolean {
    return this.#database.prepare("DELETE FROM injected_faults WHERE id = ?").run(id).changes > 0;
  }

  /** How many there were. */
  clear(): number {
    return Number(this.#database.prepare("DELETE FROM injected_faults").run().changes);
  }

  /** What to do with this request. Counts a hit of each fault that takes part in the answer. */
  match(request: FaultableRequest): FaultVerdict {
    const faults = this.list();
    if (faults.length === 0) return served;
    let delayMs = 0;
    for (const fault of faults) {
      if (!isAbout(fault, request)) continue;
      if (isMomentary(fault)) continue;
      if (!this.#hit(fault)) continue;
      if (fault.kind === "delay") delayMs += fault.ms;
      else return { delayMs, outcome: consequence(fault, request) };
    }
    return { delayMs, outcome: { action: "serve" } };
  }

  /** Whether access reviews say yes: no `forbid` fault is about the question. Counts no hit. */
  allows(question: FaultableRequest): boolean {
    return !this.list().some((fault) => fault.kind === "forbid" && isAbout(fault, question));
  }

  /**
   * Whether a watch must be cut that was opened when {@link mark} was `since`: a fault that drops watches, or
   * takes the server down, came later. Cheap; call it whenever the watch looks for changes.
   */
  cutsWatch(request: FaultableRequest, since: number): boolean {
    return this.list().some(
      (fault) =>
        fault.id > since &&
        (fault.kind === "drop-watches" || fault.kind === "down") &&
        isAbout(fault, request),
    );
  }

  /** The newest fault's id, for {@link cutsWatch}. */
  mark(): number {
    return z.object({ id: z.number() }).parse(this.#newest.get()).id;
  }

  #hit(fault: Fault): boolean {
    if (fault.times === undefined) return true;
    return (
      this.#database
        .prepare("UPDATE injected_faults SET left = left - 1 WHERE id = ? AND left > 0")
        .run(fault.id).changes > 0
    );
  }
}

/** How long every process has to notice that its open watches are to be cut. */
const momentMs = 2000;

/** Without a limit a `drop-watches` fault is about the watches open at that moment only. */
function isMomentary(fault: Pick<Fault, "kind" | "times" | "forMs">): boolean {
  return fault.kind === "drop-watches" && fault.times === undefined && fault.forMs === undefined;
}

function withId(
  id: number,
  fault: z.output<typeof faultRequestSchema>,
  until: number | null,
  left: number | null,
): Fault {
  return {
    ...fault,
    id,
    ...(until === null ? {} : { until: new Date(until).toISOString() }),
    ...(left === null ? {} : { times: left }),
  };
}

function consequence(
  fault: Exclude<Fault, { kind: "delay" }>,
  request: FaultableRequest,
): FaultVerdict["outcome"] {
  switch (fault.kind) {
    case "refuse":
      return { action: "refuse", status: fault.status, reason: fault.reason, message: fault.message };
    case "half-apply":
      return { action: "half-apply", answer: fault.answer };
    case "down":
    case "drop-watches":
      return { action: "reset" };
    case "forbid":
      return { action: "refuse", status: 403, reason: "Forbidden", message: forbidden(request) };
  }
}

/** The text of a real API server's RBAC refusal. */
function forbidden({ verb, group, resource, subresource, namespace, name }: FaultableRequest): string {
  const what = group === "" ? resource : `${resource}.${group}`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const object = name === undefined ? "" : ` "${name}"`;
  const plural = subresource === undefined ? resource : `${resource}/${subresource}`;
  return `${what}${object} is forbidden: User "sandbox" cannot ${verb} resource "${plural}" in API group "${group}" ${where}`;
}

/**
 * `GET`, `POST` and `DELETE` of `/sandbox/faults[/ID]`, so that commands need no access to the store. `body` is
 * the parsed JSON of the request.
 */
export function handleFaults(
  faults: Faults,
  request: { readonly method: string; readonly path: string; readonly body: unknown },
): { readonly status: number; readonly body: unknown } {
  const id = /^\/sandbox\/faults\/(\d+)$/.exec(request.path)?.[1];
  if (id === undefined && request.path !== "/sandbox/faults") return refusal(404, "there is no such page");
  switch (request.method) {
    case "GET":
      return {
        status: 200,
        body: { faults: faults.list().filter((f) => id === undefined || f.id === Number(id)) },
      };
    case "POST": {
      const parsed = faultRequestSchema.safeParse(request.body);
      if (!parsed.success) return refusal(422, z.prettifyError(parsed.error));
      return { status: 201, body: faults.add(parsed.data) };
    }
    case "DELETE":
      if (id === undefined) return { status: 200, body: { removed: faults.clear() } };
      return faults.remove(Number(id))
        ? { status: 200, body: { removed: 1 } }
        : refusal(404, `there is no fault ${id}`);
    default:
      return refusal(405, `${request.method} is not possible here`);
  }
}

function refusal(code: number, message: string) {
  return { status: code, body: { kind: "Status", apiVersion: "v1", status: "Failure", code, message } };
}
