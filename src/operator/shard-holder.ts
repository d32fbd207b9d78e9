import { systemNamespace } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { ClusterError, isClusterError } from "../cluster/errors.ts";
import { readLease } from "../cluster/lease.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import type { Moments } from "../provisioning/runs/ownership.ts";
import { election, LeaseLock, leaseLabel } from "./election.ts";
import { errorFields, type Log } from "./log.ts";
import type { QueueTime } from "./queue.ts";
import { shareOut } from "./shards.ts";

/** On the leader's Lease: how many shards there are. Another number's operators wait, and stop. */
const shardsAnnotation = "platform.company.com/shards";
/** While those who worked by another number may still be at it. */
const changing = "changing";

/** How often it is looked whether a Lease could not be renewed for too long, in milliseconds. */
const watchEveryMs = 500;
/** The Lease of a member that is gone is removed after so many milliseconds. */
const forgottenMs = 120_000;

/** Is told which shards are this process's. */
export interface ShardEvents {
  gained(shard: number): void;
  /** Not ours any more, as of now: nothing of it is written after this. */
  lost(shard: number, why: string): void;
  /**
   * To be another's, and not ours afterwards: resolves to whether nothing of it is in hand, nor a write under way. If
   * there is, the other waits until its Lease has run out.
   */
  handOver(shard: number): Promise<boolean>;
}

export interface ShardHolderOptions {
  /** Over a connection of its own, so that renewals never wait behind work. */
  readonly cluster: Cluster;
  /** Name of the leader's Lease; those of shards and members begin with it. */
  readonly lease: string;
  readonly shards: number;
  readonly identity: string;
  readonly time: Pick<QueueTime, "sleep" | "random">;
  readonly moments: Moments;
  readonly log: Log;
  readonly events: ShardEvents;
}

interface Member {
  readonly version: string;
  /** When that was first seen, on our clock that nobody sets. */
  readonly at: number;
}

/**
 * Holds as many shards as are due to this process, each through its Lease. One shard is `platform-operator` itself: who
 * has it works. With several, that Lease is the leader's, who says how many there are; each process has a Lease as a
 * member, from which all come to the same distribution; and each shard has one, without which nobody works on it.
 */
export class ShardHolder {
  readonly #options: ShardHolderOptions;
  readonly #leader: LeaseLock;
  readonly #member: LeaseLock;
  readonly #shards: readonly LeaseLock[];
  /** What the operator was told to be its own. */
  readonly #ours = new Set<number>();
  readonly #handingOver = new Set<number>();
  readonly #members = new Map<string, Member>();
  #changingSince: number | undefined;
  #roundAt: number;
  #looked = false;
  #retired = false;

  constructor(options: ShardHolderOptions) {
    this.#options = options;
    const { cluster, lease, shards, identity, moments } = options;
    const lock = { cluster, identity, moments };
    const lost = (shard: number) => (why: string) => this.#lost(shard, why);
    this.#leader = new LeaseLock({
      ...lock,
      name: lease,
      role: "leader",
      annotations: (previous) => ({ [shardsAnnotation]: this.#layout(previous) }),
      ...(shards === 1 ? { onLost: lost(0) } : {}),
    });
    this.#member = new LeaseLock({ ...lock, name: `${lease}-member-${identity}`, role: "member" });
    this.#shards =
      shards === 1
        ? [this.#leader]
        : Array.from({ length: shards }, (_, shard) => {
            const name = `${lease}-${shard}`;
            return new LeaseLock({ ...lock, name, role: "shard", onLost: lost(shard) });
          });
    this.#roundAt = moments().steady;
  }

  /** Milliseconds since it last tried to look after its Leases. */
  get silentMs(): number {
    return this.#options.moments().steady - this.#roundAt;
  }

  /** It has seen whose the Leases are. */
  get looked(): boolean {
    return this.#looked;
  }

  /** Looks after its Leases until the signal aborts, and leaves them to run out. */
  async run(signal: AbortSignal): Promise<void> {
    const watching = this.#watch(signal);
    const { time, log } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#round();
        this.#looked = true;
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        log.warn("the Leases could not be looked after; again soon", errorFields(error));
      }
      // Also when the server did not answer: what counts is that this program is not stuck.
      this.#roundAt = this.#options.moments().steady;
      await time.sleep(election.retryMs * (1 + 0.2 * time.random()), signal).catch(() => undefined);
    }
    await watching;
  }

  /** Gives all Leases back, so that others need not wait. Not while a write may be under way. Never rejects. */
  async release(): Promise<void> {
    const locks = new Set([this.#leader, this.#member, ...this.#shards]);
    await Promise.all([...locks].map((lock) => lock.release()));
  }

  /** Takes nothing more; what is held is held, and renewed. */
  retire(): void {
    this.#retired = true;
  }

  /**
   * Resolves when a write may begin: everything that is held certainly is.
   * @throws ClusterError `conflict` where nothing is, `unreachable` where that cannot be found out in time
   */
  async ensure(): Promise<void> {
    if (this.#ours.size === 0) throw new ClusterError("conflict", "this operator holds no Lease (any more)");
    await Promise.all([...this.#ours].map((shard) => this.#shards[shard]?.ensure()));
  }

  async #round(): Promise<void> {
    const { shards, identity } = this.#options;
    if (!this.#leader.held) this.#changingSince = undefined;
    if (this.#leader.held || !this.#retired) await this.#leader.attempt();
    if (shards === 1) {
      if (this.#leader.held && layoutOf(this.#leader.lease) === "1") this.#gained(0);
      return;
    }
    if (!this.#retired) await this.#member.attempt();
    const { layout, members } = await this.#look();
    if (layout !== String(shards)) {
      for (const shard of this.#ours)
        this.#shards[shard]?.lose(`operators work by ${layout || "no"} shards now`);
      return;
    }
    const owners = shareOut(members, shards);
    await Promise.all(
      this.#shards.map(async (lock, shard) => {
        const due = owners[shard] === identity && !this.#retired;
        if (lock.held && !due && !this.#retired) this.#handOver(shard, lock);
        if (!lock.held && !due) return;
        await lock.attempt();
        if (lock.held) this.#gained(shard);
      }),
    );
  }

  /** How many shards there are, and who lives. */
  async #look(): Promise<{ readonly layout: string; readonly members: readonly string[] }> {
    const { cluster, lease, identity, moments } = this.#options;
    const { items } = await cluster.list(resources.leases, {
      namespace: systemNamespace,
      labelSelector: leaseLabel,
      timeoutMs: election.requestMs,
    });
    const { steady } = moments();
    const alive = new Set([identity]);
    const prefix = `${lease}-member-`;
    for (const item of items) {
      const { metadata } = item;
      if (metadata.labels?.[leaseLabel] !== "member" || !metadata.name.startsWith(prefix)) continue;
      const member = metadata.name.slice(prefix.length);
      const version = metadata.resourceVersion ?? "";
      const known = this.#members.get(member);
      const seen = known?.version === version ? known : { version, at: steady };
      this.#members.set(member, seen);
      const stopped = readLease(item).holder === "";
      if (!stopped && steady - seen.at < election.leaseMs) alive.add(member);
      else if (steady - seen.at >= forgottenMs) await this.#forget(member, metadata);
    }
    const leader = items.find(({ metadata }) => metadata.name === lease);
    return { layout: layoutOf(leader), members: [...alive].sort() };
  }

  async #forget(member: string, { name, resourceVersion }: KubeObject["metadata"]): Promise<void> {
    try {
      await this.#options.cluster.delete(
        resources.leases,
        { namespace: systemNamespace, name },
        { timeoutMs: election.requestMs, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      );
    } catch (error) {
      if (!isClusterError(error, "not-found", "conflict")) throw error;
    }
    this.#members.delete(member);
  }

  /**
   * What a leader writes: its number of shards; but while others may work by another number, that it is changing. Those
   * by one number of shards need not be waited for: they all worked under this Lease.
   */
  #layout(previous: KubeObject | undefined): string {
    const own = String(this.#options.shards);
    const before = layoutOf(previous);
    if (before === "" || before === "1" || before === own) return own;
    const { steady } = this.#options.moments();
    this.#changingSince ??= steady;
    return steady - this.#changingSince >= election.leaseMs ? own : changing;
  }

  #gained(shard: number): void {
    if (this.#ours.has(shard) || this.#handingOver.has(shard)) return;
    this.#ours.add(shard);
    this.#options.events.gained(shard);
  }

  #lost(shard: number, why: string): void {
    if (this.#ours.delete(shard)) this.#options.events.lost(shard, why);
  }

  #handOver(shard: number, lock: LeaseLock): void {
    if (this.#handingOver.has(shard)) return;
    this.#handingOver.add(shard);
    // Renewed until its work is done.
    this.#options.events
      .handOver(shard)
      .then((calm) => (calm ? lock.release() : lock.lose("it is handed over")))
      .finally(() => {
        this.#ours.delete(shard);
        this.#handingOver.delete(shard);
      });
  }

  /** Who could not renew in time stops, long before another may begin. */
  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const lock of new Set([this.#leader, ...this.#shards])) {
        if (lock.overdue) lock.lose(`it could not be renewed for ${election.renewDeadlineMs / 1_000} s`);
      }
      await this.#options.time.sleep(watchEveryMs, signal).catch(() => undefined);
    }
  }
}

function layoutOf(leader: KubeObject | undefined): string {
  return leader?.metadata.annotations?.[shardsAnnotation] ?? "";
}
