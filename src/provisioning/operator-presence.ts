import { operatorName, systemNamespace } from "../application/names.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { find } from "../cluster/find.ts";
import { readLease } from "../cluster/lease.ts";
import { resources } from "../cluster/resource.ts";
import type { Clock } from "./clock.ts";

/** Whether an operator lives that executes runs. */
export interface OperatorPresence {
  readonly alive: boolean;
  /** Who holds, or last held, the Lease; empty where nobody ever did, or where it was given back. */
  readonly holder: string;
  /** When it was last renewed, RFC 3339, by the holder's clock; undefined where nobody ever did. */
  readonly renewedAt?: string;
}

/** A Lease renewed so lately, by our clock, is a living operator's, in milliseconds. */
const freshMs = 15_000;
/** Clocks may differ by so much, in milliseconds: until then one looks whether it is renewed meanwhile. */
const skewMs = 300_000;
/** For how long one looks, in milliseconds: the holder renews every two seconds. */
const lookMs = 5_000;
const lookEveryMs = 500;

interface Look {
  readonly holder: string;
  readonly renewedAt: string;
}

async function look(cluster: Cluster): Promise<Look | undefined> {
  const lease = await find(cluster, resources.leases, { namespace: systemNamespace, name: operatorName });
  if (lease === undefined) return undefined;
  const { holder, renewTime } = readLease(lease);
  return { holder, renewedAt: renewTime };
}

/**
 * Whether an operator lives: its Lease is held, and renewed. At once where our clocks agree; otherwise renewals are
 * looked for. Who may not read the Lease is told that it lives: a request does no harm.
 * @throws ClusterError
 */
export async function operatorPresence(cluster: Cluster, clock: Clock): Promise<OperatorPresence> {
  let first: Look | undefined;
  try {
    first = await look(cluster);
  } catch (error) {
    if (isClusterError(error, "forbidden")) return { alive: true, holder: "" };
    throw error;
  }
  if (first === undefined) return { alive: false, holder: "" };
  const { holder, renewedAt } = first;
  const told = { holder, ...(renewedAt === "" ? {} : { renewedAt }) };
  const age = Math.abs(clock.now().getTime() - Date.parse(renewedAt));
  if (holder === "" || !(age < skewMs)) return { alive: false, ...told };
  if (age < freshMs) return { alive: true, ...told };
  for (let waited = 0; waited < lookMs; waited += lookEveryMs) {
    await clock.sleep(lookEveryMs);
    const next = await look(cluster);
    if (next === undefined || next.holder === "") break;
    if (next.renewedAt !== renewedAt) return { alive: true, ...next };
  }
  return { alive: false, ...told };
}
