import { z } from "zod";
import type { Cluster, Patch } from "../../src/cluster/cluster.ts";
import type { CodeHost } from "../../src/delivery/code-host.ts";
import type { Clock } from "../../src/provisioning/clock.ts";
import { forwarding } from "../provisioning/fault.ts";

/** When an engine dies: before its write has reached the server, or after, before it saw the answer. */
export type KillTime = "before" | "after";

/**
 * Where an engine dies. A write is named so that it has the same name in every run of its operation:
 * `patch services app-<service>/<service>`, `journal StepStarted verify`, `commit skeleton`.
 */
export interface KillPoint {
  readonly write: string;
  readonly time: KillTime;
}

const journalSchema = z.looseObject({
  status: z.looseObject({
    holder: z.string(),
    events: z.array(
      z.looseObject({ type: z.string(), step: z.string().optional(), holder: z.string().optional() }),
    ),
  }),
});

/**
 * One engine's life. Whatever reaches the outside goes through it; from its death on, no call of that engine ever
 * settles, as in a process that is gone, and nothing more is written.
 */
export class Mortal {
  readonly #service: string;
  readonly #kill: KillPoint | undefined;
  readonly #counts = new Map<string, number>();
  readonly #writes: (readonly string[])[] = [];
  readonly #leases = new Set<string>();
  #journaled = 0;
  #dead = false;
  #die: () => void = () => {};
  /** Resolves when it dies. */
  readonly died: Promise<void> = new Promise((resolve) => {
    this.#die = resolve;
  });

  constructor(service: string, kill?: KillPoint) {
    this.#service = service;
    this.#kill = kill;
  }

  /** The writes so far, in order, each with its names: events that shared a write of the journal each name it. */
  get writes(): readonly (readonly string[])[] {
    return this.#writes;
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      sleep: (ms, signal) => this.#living(() => clock.sleep(ms, signal)),
    };
  }

  cluster(cluster: Cluster): Cluster {
    const alive = forwarding(cluster);
    const place = ({ namespace, name }: { readonly namespace?: string; readonly name: string }) =>
      namespace === undefined ? name : `${namespace}/${name}`;
    return {
      ...alive,
      get: (...args) => this.#living(() => cluster.get(...args)),
      list: (...args) => this.#living(() => cluster.list(...args)),
      listMetadata: (...args) => this.#living(() => cluster.listMetadata(...args)),
      can: (...args) => this.#living(() => cluster.can(...args)),
      whoAmI: (...args) => this.#living(() => cluster.whoAmI(...args)),
      serves: (...args) => this.#living(() => cluster.serves(...args)),
      serviceProxy: (...args) => this.#living(() => cluster.serviceProxy(...args)),
      discover: (...args) => this.#living(() => cluster.discover(...args)),
      create: (resource, object, options) =>
        this.#write([`create ${resource.plural} ${place(object.metadata)}`], () =>
          cluster.create(resource, object, options),
        ),
      replace: (resource, object, options) =>
        this.#write(
          resource.plural === "runs"
            ? this.#newEvents(object)
            : [`replace ${resource.plural} ${place(object.metadata)}`],
          () => cluster.replace(resource, object, options),
        ),
      patch: (resource, ref, patch, options) =>
        this.#write(
          resource.plural === "leases" && this.#leases.has(place(ref))
            ? []
            : [`patch ${resource.plural} ${place(ref)}`],
          () => {
            if (resource.plural !== "leases") return cluster.patch(resource, ref, patch, options);
            this.#leases.add(place(ref));
            return cluster.patch(resource, ref, ofAnotherProcess(patch), options);
          },
        ),
      delete: (resource, ref, options) =>
        this.#write([`delete ${resource.plural} ${place(ref)}`], () =>
          cluster.delete(resource, ref, options),
        ),
    };
  }

  codeHost(host: CodeHost): CodeHost {
    return {
      urlOf: (...args) => host.urlOf(...args),
      check: (...args) => this.#living(() => host.check(...args)),
      exists: (...args) => this.#living(() => host.exists(...args)),
      log: (...args) => this.#living(() => host.log(...args)),
      foreignCommits: (...args) => this.#living(() => host.foreignCommits(...args)),
      create: (...args) => this.#write(["create repository"], () => host.create(...args)),
      commit: (...args) => this.#write([`commit ${args[1].title}`], () => host.commit(...args)),
      remove: (...args) => this.#write(["remove repository"], () => host.remove(...args)),
    };
  }

  /** Nobody learns how a call ended whose caller is dead. */
  async #living<T>(call: () => Promise<T>): Promise<T> {
    if (this.#dead) return never();
    try {
      const answer = await call();
      return this.#dead ? never() : answer;
    } catch (error) {
      if (this.#dead) return never();
      throw error;
    }
  }

  #write<T>(kinds: readonly string[], call: () => Promise<T>): Promise<T> {
    if (this.#dead) return never();
    const names = kinds.map((kind) => this.#named(kind));
    if (names.length > 0) this.#writes.push(names);
    const kill = this.#kill !== undefined && names.includes(this.#kill.write) ? this.#kill.time : undefined;
    return this.#living(async () => {
      if (kill === "before") return this.#death<T>();
      if (kill === undefined) return call();
      await call().catch(() => {});
      return this.#death<T>();
    });
  }

  #named(kind: string): string {
    const name = kind.replaceAll(new RegExp(`${this.#service}(-[a-z]+-[a-z0-9]{5})?`, "g"), (_, run) =>
      run === undefined || !/^-(create|scale|deploy|set|rollback|delete)-/.test(run)
        ? `<service>${run ?? ""}`
        : "<run>",
    );
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return count === 1 ? name : `${name} #${count}`;
  }

  /**
   * Which events become durable with this write of the journal. Several events may share a write, and not in every
   * run the same ones: so the events have names, and the write has those of all of them. Log lines have none.
   */
  #newEvents(run: unknown): readonly string[] {
    const { holder, events } = journalSchema.parse(run).status;
    const mine = events.slice(events.findLastIndex((event) => event.holder === holder));
    const told = mine.filter(({ type }) => type !== "StepLogged");
    const fresh = told.slice(this.#journaled);
    this.#journaled = Math.max(this.#journaled, told.length);
    return fresh.map(({ type, step }) => `journal ${type}${step === undefined ? "" : ` ${step}`}`);
  }

  #death<T>(): Promise<T> {
    this.#dead = true;
    this.#die();
    return never();
  }
}

const leaseSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), annotations: z.record(z.string(), z.string()) }),
});

/**
 * The Lease of an engine in a process of its own that is gone: same machine, same process id, an earlier start. So
 * whoever comes next finds it dead as it would after a SIGKILL, without waiting until the Lease runs out.
 */
function ofAnotherProcess(patch: Patch): Patch {
  if (patch.type !== "apply")
    throw new Error("a Lease is not applied any more: name its holder's process elsewhere");
  const lease = leaseSchema.parse(patch.body);
  const annotations = Object.fromEntries(
    Object.entries(lease.metadata.annotations).map(([key, value]) => [
      key,
      key === "platform.company.com/process" ? value.replace(/\d+$/, "1") : value,
    ]),
  );
  return { ...patch, body: { ...lease, metadata: { ...lease.metadata, annotations } } };
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}
