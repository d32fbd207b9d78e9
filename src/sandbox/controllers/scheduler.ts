import { z } from "zod";
import type { StoredObject } from "../api.ts";
import { isTrue, withCondition } from "./conditions.ts";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { between, hash } from "./names.ts";
import { parseQuantity } from "./quantity.ts";
import { claimSpecShape, claimStatusShape, type Pod, rawSpec, readPod, typed } from "./shapes.ts";
import { nowText, type Simulation, Stages } from "./simulation.ts";

const component = "default-scheduler";
const nodeSpec = z.looseObject({ unschedulable: z.boolean().optional() });
const nodeStatus = z.looseObject({
  allocatable: z.record(z.string(), z.string()).default({}),
  conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).default([]),
});

/**
 * Gives each pod a node. Looks at readiness, `nodeSelector`, whether the pod alone fits the node, and whether its
 * claims are bound; what other pods have reserved is not added up.
 */
export function schedulerController(simulation: Simulation): Controller {
  const { api, events } = simulation;
  const stages = new Stages(simulation);

  function unboundClaim(pod: Pod): string | undefined {
    for (const { persistentVolumeClaim } of pod.spec.volumes) {
      if (persistentVolumeClaim === undefined) continue;
      const { claimName } = persistentVolumeClaim;
      const claim = api.get("/persistentvolumeclaims", pod.metadata.namespace, claimName);
      if (claim === undefined) return `persistentvolumeclaim "${claimName}" not found`;
      if (claim.metadata.deletionTimestamp !== undefined) {
        return `persistentvolumeclaim "${claimName}" is being deleted`;
      }
      const { status } = typed(claim, claimSpecShape, claimStatusShape);
      if (status.phase !== "Bound") return "pod has unbound immediate PersistentVolumeClaims";
    }
    return undefined;
  }

  /** Why the node cannot take the pod. */
  function obstacle(pod: Pod, stored: StoredObject): string | undefined {
    const node = typed(stored, nodeSpec, nodeStatus);
    if (node.spec.unschedulable === true) return "node(s) were unschedulable";
    if (!node.status.conditions.some(({ type, status }) => type === "Ready" && status === "True")) {
      return "node(s) had untolerated taint(s)";
    }
    for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {})) {
      if (node.metadata.labels?.[key] !== value) return "node(s) didn't match Pod's node affinity/selector";
    }
    for (const resource of ["cpu", "memory"]) {
      const wanted = pod.spec.containers.reduce(
        (sum, container) => sum + parseQuantity(container.resources.requests?.[resource] ?? "0"),
        0,
      );
      const has = node.status.allocatable[resource];
      if (has !== undefined && wanted > parseQuantity(has)) return `Insufficient ${resource}`;
    }
    return undefined;
  }

  function choose(pod: Pod): { readonly node: string } | { readonly problem: string } {
    const nodes = api.list("/nodes");
    const total = nodes.length;
    const claim = unboundClaim(pod);
    if (claim !== undefined) return { problem: `0/${total} nodes are available: ${claim}.` };
    const counts = new Map<string, number>();
    const free: string[] = [];
    for (const node of nodes) {
      const reason = obstacle(pod, node);
      if (reason === undefined) free.push(node.metadata.name);
      else counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    if (free.length === 0) {
      const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).join(", ");
      return { problem: `0/${total} nodes are available${reasons === "" ? "" : `: ${reasons}`}.` };
    }
    return { node: spread(pod, free) };
  }

  /** The node with the fewest pods of the same owner. */
  function spread(pod: Pod, nodes: readonly string[]): string {
    const owner = pod.metadata.ownerReferences?.[0]?.uid;
    const load = new Map<string, number>();
    for (const other of api.list("/pods", { namespace: pod.metadata.namespace ?? "" })) {
      const node = readPod(other).spec.nodeName;
      if (node === undefined) continue;
      const same = owner !== undefined && other.metadata.ownerReferences?.[0]?.uid === owner;
      load.set(node, (load.get(node) ?? 0) + (same ? 100 : 1));
    }
    const start = hash(pod.metadata.namespace ?? "") % nodes.length;
    const rotated = [...nodes.slice(start), ...nodes.slice(0, start)];
    let best = rotated[0] ?? "";
    for (const node of rotated) if ((load.get(node) ?? 0) < (load.get(best) ?? 0)) best = node;
    return best;
  }

  return {
    name: "scheduler",
    resources: ["/pods"],
    *concerns({ type, resource, object }) {
      if (resource !== "/pods") return;
      const key = keyOf(object);
      if (type === "DELETED") stages.forget(key);
      else if (readPod(object).spec.nodeName === undefined) yield key;
    },
    reconcile(key) {
      const { namespace, name } = parseKey(key);
      const stored = api.get("/pods", namespace, name);
      if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
      const pod = readPod(stored);
      if (pod.spec.nodeName !== undefined) return undefined;
      const left = stages.left(key, pod.metadata.uid, between(pod.metadata.uid, 50, 250));
      if (left > 0) return left;
      const choice = choose(pod);
      const now = nowText(simulation);
      if ("problem" in choice) {
        const condition = {
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: choice.problem,
        } as const;
        const conditions = withCondition(pod.status.conditions, condition, now);
        const known = pod.status.conditions.some(({ message }) => message === choice.problem);
        api.updateStatus("/pods", { ...stored, status: { ...pod.status, conditions } });
        if (!known) events.record(pod, "Warning", "FailedScheduling", choice.problem, component);
        return 500;
      }
      const bound = api.update("/pods", { ...stored, spec: { ...rawSpec(stored), nodeName: choice.node } });
      const message = `Successfully assigned ${keyOf(pod)} to ${choice.node}`;
      events.record(bound, "Normal", "Scheduled", message, component);
      if (!isTrue(pod.status.conditions, "PodScheduled")) {
        const conditions = withCondition(
          pod.status.conditions.map(({ reason: _reason, message: _message, ...rest }) => rest),
          { type: "PodScheduled", status: "True" },
          now,
        );
        api.updateStatus("/pods", { ...bound, status: { ...pod.status, conditions } });
      }
      return undefined;
    },
  };
}
