import { z } from "zod";
import type { Cluster, Patch } from "../../src/cluster/cluster.ts";
import type { CodeHost } from "../../src/delivery/code-host.ts";
import type { Clock } from "../../src/provisioning/clock.ts";
import type { CloudStores } from "../../src/provisioning/data-stores/cloud-stores.ts";
import { forwarding } from "../provisioning/fault.ts";
import { type ClusterWrite, WriteNames } from "./writes.ts";

/** When an engine dies: before its write has reached the server, or after, before it saw the answer. */
export type KillTime = "before" | "after";

/** Where an engine dies: at a write, named as {@link WriteNames} does. */
export interface KillPoint {
  readonly write: string;
  readonly time: KillTime;
}

/**
 * One engine's life. Whatever reaches the outside goes through it; from its death on, no call of that engine ever
 * settles, as in a process that is gone, and nothing more is written.
 */
export class Mortal {
  readonly #kill: KillPoint | undefined;
  readonly #names: WriteNames;
  #dead = false;
  #die: () => void = () => {};
  /** Resolves when it dies. */
  readonly died: Promise<void> = new Promise((resolve) => {
    this.#die = resolve;
  });

  constructor(service: string, kill?: KillPoint) {
    this.#names = new WriteNames(service);
    this.#kill = kill;
  }

  /** The writes so far: see {@link WriteNames.all}. */
  get writes(): readonly (readonly string[])[] {
    return this.#names.all;
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      sleep: (ms, signal) => this.#living(() => clock.sleep(ms, signal)),
    };
  }

  cluster(cluster: Cluster): Cluster {
    const write = <T>(of: ClusterWrite, call: () => Promise<T>) =>
      this.#write(this.#dead ? [] : this.#names.ofCluster(of), call);
    return {
      ...forwarding(cluster),
      get: (...args) => this.#living(() => cluster.get(...args)),
      list: (...args) => this.#living(() => cluster.list(...args)),
      listMetadata: (...args) => this.#living(() => cluster.listMetadata(...args)),
      can: (...args) => this.#living(() => cluster.can(...args)),
      whoAmI: (...args) => this.#living(() => cluster.whoAmI(...args)),
      serves: (...args) => this.#living(() => cluster.serves(...args)),
      serviceProxy: (...args) => this.#living(() => cluster.serviceProxy(...args)),
      discover: (...args) => this.#living(() => cluster.discover(...args)),
      create: (resource, object, options) =>
        write({ verb: "create", plural: resource.plural, ...object.metadata }, () =>
          cluster.create(resource, object, options),
        ),
      replace: (resource, object, options) =>
        write({ verb: "replace", plural: resource.plural, ...object.metadata, body: object }, () =>
          cluster.replace(resource, object, options),
        ),
      patch: (resource, ref, patch, options) =>
        write({ verb: "patch", plural: resource.plural, ...ref }, () =>
          cluster.patch(
            resource,
            ref,
            resource.plural === "leases" ? ofAnotherProcess(patch) : patch,
            options,
          ),
        ),
      delete: (resource, ref, options) =>
        write({ verb: "delete", plural: resource.plural, ...ref }, () =>
          cluster.delete(resource, ref, options),
        ),
    };
  }

  codeHost(host: CodeHost): CodeHost {
    const write = <T>(kind: string, call: () => Promise<T>) =>
      this.#write(this.#dead ? [] : this.#names.ofOther(kind), call);
    return {
      ...host,
      check: (...args) => this.#living(() => host.check(...args)),
      exists: (...args) => this.#living(() => host.exists(...args)),
      log: (...args) => this.#living(() => host.log(...args)),
      foreignCommits: (...args) => this.#living(() => host.foreignCommits(...args)),
      create: (...args) => write("create repository", () => host.create(...args)),
      commit: (...args) => write(`commit ${args[1].title}`, () => host.commit(...args)),
      remove: (...args) => write("remove repository", () => host.remove(...args)),
    };
  }

  cloud(stores: CloudStores): CloudStores {
    const write = <T>(kind: string, call: () => Promise<T>) =>
      this.#write(this.#dead ? [] : this.#names.ofOther(kind), call);
    return {
      check: (...args) => this.#living(() => stores.check(...args)),
      preview: (...args) => this.#living(() => stores.preview(...args)),
      compare: (...args) => this.#living(() => stores.compare(...args)),
      ensure: (...args) => write(`make ${args[0].provider}`, () => stores.ensure(...args)),
      remove: (...args) => write(`remove ${args[0].provider}`, () => stores.remove(...args)),
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

  #write<T>(names: readonly string[], call: () => Promise<T>): Promise<T> {
    const kill = this.#kill !== undefined && names.includes(this.#kill.write) ? this.#kill.time : undefined;
    return this.#living(async () => {
      if (kill === "before") return this.#death<T>();
      if (kill === undefined) return call();
      await call().catch(() => {});
      return this.#death<T>();
    });
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
