import { z } from "zod";

const journalSchema = z.looseObject({
  status: z.looseObject({
    holder: z.string(),
    events: z.array(
      z.looseObject({ type: z.string(), step: z.string().optional(), holder: z.string().optional() }),
    ),
  }),
});

/** A write to the cluster, as its request says it. */
export interface ClusterWrite {
  readonly verb: "create" | "replace" | "patch" | "delete";
  /** Lower-case plural, for example `deployments`. */
  readonly plural: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly body?: unknown;
}

/**
 * Names one engine's writes so that each has the same name in every run of its operation, whatever the service, the
 * run and the order of parallel steps: `patch services app-<service>/<service>`, `journal StepStarted verify`.
 */
export class WriteNames {
  readonly #service: string;
  readonly #counts = new Map<string, number>();
  readonly #all: (readonly string[])[] = [];
  readonly #leases = new Set<string>();
  #journaled = 0;

  constructor(service: string) {
    this.#service = service;
  }

  /** The writes so far, in order, each with its names: events that shared a write of the journal each name it. */
  get all(): readonly (readonly string[])[] {
    return this.#all;
  }

  /** Counts a write to the cluster; none for a renewal of a Lease, and for a journal with nothing new but log lines. */
  ofCluster({ verb, plural, namespace, name, body }: ClusterWrite): readonly string[] {
    const place = namespace === undefined ? name : `${namespace}/${name}`;
    if (verb === "replace" && plural === "runs") return this.#count(this.#newEvents(body));
    if (verb === "patch" && plural === "leases") {
      if (this.#leases.has(place)) return [];
      this.#leases.add(place);
    }
    return this.#count([`${verb} ${plural} ${place}`]);
  }

  /** Counts a write elsewhere, such as a commit. */
  ofOther(kind: string): readonly string[] {
    return this.#count([kind]);
  }

  #count(kinds: readonly string[]): readonly string[] {
    const names = kinds.map((kind) => {
      const name = neutralName(kind, this.#service);
      const count = (this.#counts.get(name) ?? 0) + 1;
      this.#counts.set(name, count);
      return count === 1 ? name : `${name} #${count}`;
    });
    if (names.length > 0) this.#all.push(names);
    return names;
  }

  /**
   * Which events become durable with this write. Several events may share a write, and not in every run the same
   * ones: so the events have names, and the write has those of all of them.
   */
  #newEvents(run: unknown): readonly string[] {
    const { holder, events } = journalSchema.parse(run).status;
    const mine = events.slice(events.findLastIndex((event) => event.holder === holder));
    const told = mine.filter(({ type }) => type !== "StepLogged");
    const fresh = told.slice(this.#journaled);
    this.#journaled = Math.max(this.#journaled, told.length);
    return fresh.map(({ type, step }) => `journal ${type}${step === undefined ? "" : ` ${step}`}`);
  }
}

/** A text without what differs from service to service: its name, and those of its runs. */
export function neutralName(text: string, service: string): string {
  return text
    .replaceAll(
      new RegExp(
        `${service}-(create|scale|deploy|set|rollback|delete|cleanup|restore|provision)-[a-z0-9]{5}`,
        "g",
      ),
      "<run>",
    )
    .replaceAll(new RegExp(`${service}-db-r[a-z0-9]{5}`, "g"), "<service>-db-<copy>")
    .replaceAll(service, "<service>")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uid>");
}
