import { readFile, readlink } from "node:fs/promises";
import { z } from "zod";
import { labels, systemNamespace } from "../application/names.ts";
import { apply, type Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import { cleanText } from "../cluster/text.ts";
import type { Clock } from "./clock.ts";
import type { RunName } from "./run.ts";

/** A holder that renewed nothing for so long, by the observer's own clock, counts as dead. In seconds. */
const leaseSeconds = 10;
/** How often a holder renews, in milliseconds: three renewals may be lost. */
const renewEvery = 2_500;
/** Longest time one renewal may take, in milliseconds. */
const renewTimeout = 5_000;

const processAnnotation = "platform.company.com/process";

const leaseSpecSchema = z.looseObject({
  holderIdentity: z.string().nullish(),
  renewTime: z.string().nullish(),
  leaseDurationSeconds: z.number().nullish(),
});

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
  const host = await machine();
  if (recorded === undefined || host === undefined || !recorded.startsWith(`${host} `)) return false;
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
      labels: { [labels.managed]: "true", "app.kubernetes.io/managed-by": "platform" },
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
      leaseDurationSeconds: leaseSeconds,
      renewTime: now.toISOString().replace("Z", "000Z"),
    },
  };
}

/**
 * Tells others that this run's holder lives, through a Lease beside the Run. It does not fence: the journal's
 * epoch does. It ends at once when `lost` aborts, because the Lease is another's then. The returned function stops it
 * and removes the Lease.
 */
export async function startHeartbeat(
  cluster: Cluster,
  clock: Clock,
  run: KubeObject,
  holder: string,
  lost: AbortSignal,
): Promise<() => Promise<void>> {
  const stopped = new AbortController();
  const signal = AbortSignal.any([stopped.signal, lost]);
  const identity = await thisProcess();
  await apply(cluster, resources.leases, leaseOf(run, holder, clock.now(), identity));
  const beating = (async () => {
    for (;;) {
      await clock.sleep(renewEvery, signal);
      try {
        // Never cut off: a renewal that arrives after the Lease was removed would make it again.
        await apply(cluster, resources.leases, leaseOf(run, holder, clock.now(), identity), {
          timeoutMs: renewTimeout,
        });
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

/**
 * Who holds a run and lives, or undefined. Judged by renewals seen on our own clock, so this may take as long as a
 * lease lasts; at once where the holder was a process of this machine that is gone.
 */
export async function livingHolder(
  cluster: Cluster,
  clock: Clock,
  run: RunName,
): Promise<string | undefined> {
  const read = async () => {
    try {
      const lease = await cluster.get(resources.leases, { namespace: systemNamespace, name: run });
      return { lease, spec: leaseSpecSchema.parse(lease.spec ?? {}) };
    } catch (error) {
      if (isClusterError(error, "not-found")) return undefined;
      throw error;
    }
  };
  const first = await read();
  if (first === undefined) return undefined;
  if (await certainlyGone(first.lease.metadata.annotations?.[processAnnotation])) return undefined;
  const deadline = clock.now().getTime() + (first.spec.leaseDurationSeconds ?? leaseSeconds) * 1_000;
  while (clock.now().getTime() < deadline) {
    await clock.sleep(500);
    const next = await read();
    if (next === undefined) return undefined;
    if (next.spec.renewTime !== first.spec.renewTime)
      return cleanText(next.spec.holderIdentity ?? "somebody");
  }
  return undefined;
}
