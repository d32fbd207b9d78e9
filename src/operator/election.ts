import pLimit from "p-limit";
import { systemNamespace } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { ClusterError, isClusterError } from "../cluster/errors.ts";
import { find } from "../cluster/find.ts";
import { type LeaseRecord, microTime, readLease } from "../cluster/lease.ts";
import type { KubeObject } from "../cluster/object.ts";
import { apiVersionOf, resources } from "../cluster/resource.ts";
import { age, fencing, type Moment, type Moments, Ownership } from "../provisioning/runs/ownership.ts";

/**
 * Times of the election, in milliseconds: client-go's. Between the deadline, at which a holder that could not renew
 * stops, and the end of its Lease, at which another may begin, five seconds are for what is still under way.
 */
export const election = {
  leaseMs: fencing.leaseMs,
  renewDeadlineMs: 10_000,
  retryMs: 2_000,
  /** Longest time of one request. */
  requestMs: 5_000,
} as const;

/** Whatever a Lease says, nobody waits longer for it, in milliseconds. */
const longestLease = 60_000;

/** Label of every Lease of operators, and what each is: the `leader`'s, a `shard`'s, a `member`'s. */
export const leaseLabel = "platform.company.com/operator";
export type LeaseRole = "leader" | "shard" | "member";

export interface LeaseLockOptions {
  readonly cluster: Cluster;
  readonly name: string;
  readonly role: LeaseRole;
  /** This process, as no other is named. */
  readonly identity: string;
  readonly moments: Moments;
  /** Annotations to write, given what is there now. Left out: none. */
  readonly annotations?: (previous: KubeObject | undefined) => Readonly<Record<string, string>>;
  /** The Lease is no longer this process's: told once for each time that it was. */
  readonly onLost?: (why: string) => void;
}

/**
 * One Lease that this process holds, or would like to. Every write carries the version it was decided on, so of two
 * only one gets it; whether another's has run out is judged by renewals seen on one's own clock.
 */
export class LeaseLock {
  readonly #options: LeaseLockOptions;
  readonly #ownership: Ownership;
  /** Requests one after the other. */
  readonly #one = pLimit(1);
  /** As last written by us, while it is ours. */
  #lease: KubeObject | undefined;
  #renewed: Moment | undefined;
  /** As last seen while another's, and since when on our clock. */
  #seen: { readonly version: string; readonly at: number } | undefined;

  constructor(options: LeaseLockOptions) {
    this.#options = options;
    this.#ownership = new Ownership(options.moments, () => this.#one(() => this.#confirm()));
  }

  get name(): string {
    return this.#options.name;
  }

  get held(): boolean {
    return this.#lease !== undefined;
  }

  /** Held, and not renewed for so long that its holder has to stop. */
  get overdue(): boolean {
    return (
      this.held &&
      this.#renewed !== undefined &&
      age(this.#renewed, this.#options.moments()) >= election.renewDeadlineMs
    );
  }

  /** As last written, while it is held. */
  get lease(): KubeObject | undefined {
    return this.#lease;
  }

  /**
   * Renews it where it is held, else takes it where it is nobody's.
   * @throws ClusterError where it cannot be asked for now; what is held stays held until it is overdue
   */
  attempt(): Promise<void> {
    return this.#one(() => (this.#lease === undefined ? this.#acquire() : this.#renew(this.#lease)));
  }

  /**
   * Resolves when a write of this Lease's work may begin.
   * @throws ClusterError `conflict` where it is not held, `unreachable` where that cannot be found out in time
   */
  async ensure(): Promise<void> {
    if (this.held) await this.#ownership.ensure();
    if (!this.held) throw notHeld(this.name);
  }

  /** Gives it up without a word to the server: it runs out by itself. */
  lose(why: string): void {
    if (this.#lease === undefined) return;
    this.#lease = undefined;
    this.#options.onLost?.(why);
  }

  /** Gives it back, so that the next need not wait. Never rejects: a Lease runs out by itself. */
  release(): Promise<void> {
    return this.#one(async () => {
      const lease = this.#lease;
      if (lease === undefined) return;
      this.#lease = undefined;
      const { holderIdentity: _, ...spec } = Object(lease.spec);
      const released = { ...spec, leaseDurationSeconds: 1, renewTime: microTime(this.#now()) };
      await this.#replace({ ...lease, spec: released }).catch(() => undefined);
    });
  }

  async #acquire(): Promise<void> {
    const { cluster, name, identity } = this.#options;
    const ref = { namespace: systemNamespace, name };
    const found = await find(cluster, resources.leases, ref, { timeoutMs: election.requestMs });
    if (found !== undefined) {
      const record = readLease(found);
      const version = found.metadata.resourceVersion ?? "";
      const { steady } = this.#options.moments();
      if (this.#seen?.version !== version) this.#seen = { version, at: steady };
      const lasts = Math.max(election.leaseMs, Math.min(record.durationMs, longestLease));
      const free = record.holder === "" || record.holder === identity;
      if (!free && steady - this.#seen.at < lasts) return;
    }
    try {
      this.#lease = await this.#write(found);
    } catch (error) {
      const cameFirst = found === undefined ? "already-exists" : "not-found";
      if (!isClusterError(error, "conflict", cameFirst)) throw error;
    }
  }

  async #renew(lease: KubeObject): Promise<void> {
    let renewed: KubeObject;
    try {
      renewed = await this.#write(lease);
    } catch (error) {
      if (isClusterError(error, "not-found")) return this.lose("its Lease was deleted");
      if (!isClusterError(error, "conflict")) throw error;
      // Who wrote it was another holder; or a person; or we, when the answer was lost.
      const { cluster, name, identity } = this.#options;
      const ref = { namespace: systemNamespace, name };
      const found = await find(cluster, resources.leases, ref, { timeoutMs: election.requestMs });
      if (found === undefined) return this.lose("its Lease was deleted");
      const { holder } = readLease(found);
      if (holder !== identity) return this.lose(`${holder || "nobody"} has its Lease`);
      renewed = await this.#write(found);
    }
    // Given up meanwhile, for being too late: that stands, whatever the server says.
    if (this.held) this.#lease = renewed;
  }

  async #confirm(): Promise<void> {
    if (this.#lease !== undefined) await this.#renew(this.#lease);
    if (!this.held) throw notHeld(this.name);
  }

  async #write(previous: KubeObject | undefined): Promise<KubeObject> {
    const { cluster, identity, role, name, moments, annotations } = this.#options;
    const sent = moments();
    const now = microTime(this.#now());
    const record: LeaseRecord | undefined = previous === undefined ? undefined : readLease(previous);
    const continues = record?.holder === identity;
    const spec = {
      ...Object(previous?.spec),
      holderIdentity: identity,
      leaseDurationSeconds: election.leaseMs / 1_000,
      renewTime: now,
      ...(continues
        ? {}
        : { acquireTime: now, leaseTransitions: record === undefined ? 0 : record.transitions + 1 }),
    };
    const metadata = {
      ...previous?.metadata,
      name,
      namespace: systemNamespace,
      labels: {
        ...previous?.metadata.labels,
        "app.kubernetes.io/managed-by": "platform",
        [leaseLabel]: role,
      },
      annotations: { ...previous?.metadata.annotations, ...annotations?.(previous) },
    };
    const lease = { apiVersion: apiVersionOf(resources.leases), kind: resources.leases.kind, metadata, spec };
    const written =
      previous === undefined
        ? await cluster.create(resources.leases, lease, { timeoutMs: election.requestMs })
        : await this.#replace(lease);
    this.#renewed = sent;
    // Compared and set: at that moment it was nobody else's.
    this.#ownership.written(sent);
    return written;
  }

  #replace(lease: KubeObject): Promise<KubeObject> {
    return this.#options.cluster.replace(resources.leases, lease, { timeoutMs: election.requestMs });
  }

  #now(): Date {
    return new Date(this.#options.moments().wall);
  }
}

function notHeld(name: string): ClusterError {
  return new ClusterError("conflict", `this operator does not hold the Lease ${name} (any more)`);
}
