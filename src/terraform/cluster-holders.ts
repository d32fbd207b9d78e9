import { z } from "zod";
import { apply, type Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { find } from "../cluster/find.ts";
import { resources } from "../cluster/resource.ts";
import type { Holders, Look } from "./holder.ts";
import { holdersIn } from "./holder-file.ts";
import type { LockInfo } from "./lock.ts";

/** Prefix of the ConfigMaps' names. */
const prefix = "terraform-holder-";

/**
 * Who works on a workspace, for whoever meets its lock on another machine: a ConfigMap. Which process it is says nothing
 * there, so it is not told.
 * @param namespace - where states live; of those in buckets, where runs do
 * @param workspace - the workspace's name
 */
export function clusterHolders(cluster: Cluster, namespace: string, workspace: string): Holders {
  const ref = { namespace, name: `${prefix}${workspace}` };
  return {
    async read() {
      const found = await find(cluster, resources.configMaps, ref);
      const data = found?.data;
      const text = typeof data === "object" && data !== null ? Reflect.get(data, "holders") : undefined;
      return typeof text === "string" ? holdersIn(text) : [];
    },
    async write(holders, moment) {
      if (moment === "started") return;
      if (holders.length > 0) {
        await apply(cluster, resources.configMaps, {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { ...ref, labels: { "app.kubernetes.io/managed-by": "platform" } },
          data: { holders: JSON.stringify(holders) },
        });
        return;
      }
      try {
        await cluster.delete(resources.configMaps, ref);
      } catch (error) {
        if (!isClusterError(error, "not-found")) throw error;
      }
    },
  };
}

/**
 * Both: what is on this machine knows more, and what is in the cluster is seen from everywhere.
 * @param near - in the workspace's folder
 */
export function nearAndFar(near: Holders, far: Holders): Holders {
  return {
    async read() {
      const here = await near.read();
      const known = new Set(here.map(({ since }) => since));
      return [...here, ...(await far.read()).filter(({ since }) => !known.has(since))];
    },
    async write(holders, moment) {
      await far.write(holders, moment);
      await near.write(holders, moment);
    },
  };
}

/** What the kubernetes backend writes on the Lease that locks a state. */
const lockAnnotation = "app.terraform.io/lock-info";

/** Takes the lock of a state in a cluster away from its holder, unless somebody else has it by now. */
export function clusterUnlock(cluster: Cluster, namespace: string, workspace: string) {
  const ref = { namespace, name: `lock-tfstate-default-${workspace}` };
  return async ({ id }: LockInfo): Promise<void> => {
    const lease = await find(cluster, resources.leases, ref);
    const parsed = leaseSchema.safeParse(lease?.spec);
    if (lease === undefined || parsed.data?.holderIdentity !== id) return;
    const { [lockAnnotation]: _, ...annotations } = lease.metadata.annotations ?? {};
    await cluster.replace(resources.leases, {
      ...lease,
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      // Its resourceVersion goes along: what changed meanwhile is a conflict.
      metadata: { ...lease.metadata, annotations },
      spec: { ...parsed.data, holderIdentity: null },
    });
  };
}

const leaseSchema = z.looseObject({ holderIdentity: z.string().nullish() });

/** What is read of a pod: when a container of it was started or had ended, to the second. */
const podSchema = z.object({
  status: z.object({
    containerStatuses: z.array(
      z.object({
        state: z.object({
          running: z.object({ startedAt: z.string() }).optional(),
          terminated: z.object({ finishedAt: z.string() }).optional(),
        }),
        lastState: z.object({ terminated: z.object({ finishedAt: z.string() }).optional() }).optional(),
      }),
    ),
  }),
});

/**
 * Whether each container of a pod has ended since that moment (RFC 3339), so that all is gone that ran in the pod then.
 * That one does not run yet proves nothing: a status lags.
 */
export function endedSince(pod: unknown, moment: string): boolean {
  const statuses = podSchema.safeParse(pod).data?.status.containerStatuses ?? [];
  const ended = statuses.map(({ state, lastState }) =>
    [state.running?.startedAt, state.terminated?.finishedAt, lastState?.terminated?.finishedAt].some(
      (time) => time !== undefined && Date.parse(time) > Date.parse(moment),
    ),
  );
  return ended.length > 0 && !ended.includes(false);
}

/** Looks up the UID of a pod. */
export function podUidIn(cluster: Cluster): Look["podUid"] {
  return async ({ namespace, name }, moment) => {
    try {
      const pod = await find(cluster, resources.pods, { namespace, name });
      if (pod === undefined || endedSince(pod, moment)) return "gone";
      return pod.metadata.uid ?? undefined;
    } catch {
      return undefined;
    }
  };
}
