import { readFile, readlink } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { labels, systemNamespace } from "../../application/names.ts";
import { apply, type Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { microTime, readLease } from "../../cluster/lease.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import type { Clock } from "../clock.ts";
import { fencing, type Ownership } from "../runs/ownership.ts";
import type { RunName } from "../runs/run.ts";
import { type RunRecord, readRun } from "../runs/run-record.ts";
import { atRest } from "./decide.ts";

/** How often an observer looks, in milliseconds. */
const lookEvery = 500;
/** Whatever a Lease says, nobody waits longer for it, in milliseconds. */
const longestLease = 60_000;
/** Longest time one renewal may take, in milliseconds. */
const renewTimeout = 5_000;

const processAnnotation = "platform.company.com/process";

async function startOf(pid: number | "self"): Promise<string | undefined> {
  try {
    // Field 22 of stat; the second field is in brackets and may hold spaces.
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/** Identity of a machine's boot and its process namespace; undefined where the system does not tell. */
async function machine(): Promise<string | undefined> {
  try {
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    return `${boot} ${await readlink("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}

/** This process as no other can be named: machine, process namespace, pid and its start; empty where unknown. */
async function thisProcess(): Promise<string> {
  const [host, start] = await Promise.all([machine(), startOf("self")]);
  return host === undefined || start === undefined ? "" : `${host} ${process.pid} ${start}`;
}

/** Whether a recorded process ran on this machine and is certainly gone. */
async function certainlyGone(recorded: string | undefined): Promise<boolean> {
  if (recorded === undefined || recorded === "") return false;
  const host = await machine();
  if (host === undefined || !recorded.startsWith(`${host} `)) return false;
  const [pid, start] = recorded.slice(host.length + 1).split(" ");
  return (await startOf(Number(pid))) !== start;
}

function leaseOf(run: KubeObject, holder: string, now: Date, identity: string): KubeObject {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: run.metadata.name,
      namespace: systemNamespace,
      labels: {
        [labels.managed]: "true",
        [labels.service]: run.metadata.labels?.[labels.service] ?? "",
        "app.kubernetes.io/managed-by": "platform",
      },
      annotations: { [processAnnotation]: identity },
      ...(run.metadata.uid === undefined
        ? {}
        : {
            ownerReferences: [
              { apiVersion: run.apiVersion, kind: run.kind, name: run.metadata.name, uid: run.metadata.uid },
            ],
          }),
    },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: fencing.leaseMs / 1_000,
      renewTime: microTime(now),
    },
  };
}

/**
 * Tells others that this run's holder lives, through a Lease beside the Run. It does not fence: the journal's
 * epoch does. It ends at once when `lost` aborts, because the Lease is another's then. The returned function stops it
 * and removes the Lease.
 * @param ownership - told of each renewal that the server took
 * @param whoAmI - this process as no other can be named; empty where that is unknown
 */
export async function startHeartbeat(
  cluster: Cluster,
  clock: Clock,
  run: KubeObject,
  holder: string,
  lost: AbortSignal,
  ownership?: Pick<Ownership, "moment" | "renewed" | "awake">,
  whoAmI: () => Promise<string> = thisProcess,
): Promise<() => Promise<void>> {
  const stopped = new AbortController();
  const signal = AbortSignal.any([stopped.signal, lost]);
  const identity = await whoAmI();
  await apply(cluster, resources.leases, leaseOf(run, holder, clock.now(), identity));
  const beating = (async () => {
    for (;;) {
      const since = ownership?.moment();
      await clock.sleep(fencing.renewEveryMs, signal);
      try {
        // Who was stopped meanwhile may have been taken over: a Lease that is another's by now, or gone, is let be.
        if (since !== undefined) await ownership?.awake(since);
        const sent = ownership?.moment();
        // Never cut off: a renewal that arrives after the Lease was removed would make it again.
        await apply(cluster, resources.leases, leaseOf(run, holder, clock.now(), identity), {
          timeoutMs: renewTimeout,
        });
        if (sent !== undefined) ownership?.renewed(sent);
      } catch (error) {
        // A missed renewal is made up for by the next; who cannot renew for long loses the run, not more.
        if (!isClusterError(error)) throw error;
      }
    }
  })().catch(() => {});
  return async () => {
    stopped.abort(new Error("the run is at rest"));
    await beating;
    if (lost.aborted) return;
    // Best effort: it expires by itself, and goes with its Run.
    await cluster
      .delete(resources.leases, { namespace: systemNamespace, name: run.metadata.name })
      .catch(() => {});
  };
}

/** Whether somebody works on a run. */
export type Holding =
  | { readonly alive: true; readonly holder: string }
  /** Nobody does. The run as it was just before that was certain: who takes it, takes it as it was then. */
  | { readonly alive: false; readonly record: RunRecord };

/** The Run, and then its Lease: whoever takes the run at this version takes it from nobody who renewed before. */
async function look(cluster: Cluster, run: RunName) {
  const ref = { namespace: systemNamespace, name: run };
  const record = readRun(await cluster.get(resources.runs, ref));
  try {
    const lease = await cluster.get(resources.leases, ref);
    return { record, lease, said: readLease(lease) };
  } catch (error) {
    if (isClusterError(error, "not-found")) return { record, lease: undefined, said: undefined };
    throw error;
  }
}

/**
 * Finds out whether a run's holder lives, by what is seen of it: renewals of its Lease and writes to its Run. Judged
 * on our own clock, so this may take as long as a lease lasts; at once where the holder was a process of this machine
 * that is gone.
 * @throws ClusterError, also where there is no such run; ProvisioningError where it cannot be read
 */
export async function observeHolder(cluster: Cluster, clock: Clock, run: RunName): Promise<Holding> {
  const first = await look(cluster, run);
  const { state } = first.record;
  const nobody = (record: RunRecord): Holding => ({ alive: false, record });
  if (atRest(state)) return nobody(first.record);
  if (first.lease === undefined && state.phase === "Pending") return nobody(first.record);
  // Its engine ended in good order, and left it to the next.
  if (state.phase !== "Pending" && state.holder === "") return nobody(first.record);
  // One who wanted the run and did not get it may have left its mark on the Lease.
  const isHolders = state.holder === "" || (first.said?.holder ?? "") === state.holder;
  const process = first.lease?.metadata.annotations?.[processAnnotation];
  if (isHolders && (await certainlyGone(process))) return nobody(first.record);

  const stopped = new AbortController();
  let over = false;
  const told = first.said?.durationMs ?? 0;
  // A timer, not the time of day: that may be set meanwhile.
  clock.sleep(Math.max(fencing.leaseMs, Math.min(told, longestLease)), stopped.signal).then(
    () => {
      over = true;
    },
    () => {},
  );
  try {
    for (;;) {
      await clock.sleep(lookEvery);
      const last = over;
      const next = await look(cluster, run);
      if (atRest(next.record.state)) return nobody(next.record);
      const renewed = next.said !== undefined && next.said.renewTime !== (first.said?.renewTime ?? "");
      if (renewed || !isDeepStrictEqual(next.record.object.status, first.record.object.status)) {
        const holder = next.said?.holder || next.record.state.holder;
        return { alive: true, holder: holder || "somebody" };
      }
      if (last) return nobody(next.record);
    }
  } finally {
    stopped.abort(new Error("it is known who holds the run"));
  }
}

/** Who holds a run and lives, or undefined; see {@link observeHolder}. */
export async function livingHolder(
  cluster: Cluster,
  clock: Clock,
  run: RunName,
): Promise<string | undefined> {
  const holding = await observeHolder(cluster, clock, run);
  return holding.alive ? holding.holder : undefined;
}
