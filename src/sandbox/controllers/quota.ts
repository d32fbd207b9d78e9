import { z } from "zod";
import type { Api } from "../api.ts";
import type { Controller } from "./loop.ts";
import { formatQuantity, parseQuantity } from "./quantity.ts";
import { claimSpecShape, claimStatusShape, type PodSpec, readPod, typed } from "./shapes.ts";
import type { Simulation } from "./simulation.ts";

const quotas = "/resourcequotas";
const quotaSpec = z.looseObject({ hard: z.record(z.string(), z.coerce.string()).default({}) });
const anything = z.unknown();
/** Quota names that count objects, with the resource they count. */
const counted: Readonly<Record<string, string>> = {
  services: "/services",
  secrets: "/secrets",
  configmaps: "/configmaps",
  persistentvolumeclaims: "/persistentvolumeclaims",
  "count/deployments.apps": "apps/deployments",
  "count/statefulsets.apps": "apps/statefulsets",
  "count/jobs.batch": "batch/jobs",
};

/** What one pod takes of a quota: `pods`, `requests.cpu`, `limits.memory` and so on. */
function podUsage(spec: PodSpec): Record<string, number> {
  const usage: Record<string, number> = { pods: 1, "count/pods": 1 };
  for (const { resources } of spec.containers) {
    for (const resource of ["cpu", "memory", "ephemeral-storage"]) {
      const limit = resources.limits?.[resource];
      const request = resources.requests?.[resource] ?? limit;
      if (request !== undefined) {
        const amount = parseQuantity(request);
        usage[`requests.${resource}`] = (usage[`requests.${resource}`] ?? 0) + amount;
        usage[resource] = (usage[resource] ?? 0) + amount;
      }
      if (limit !== undefined) {
        usage[`limits.${resource}`] = (usage[`limits.${resource}`] ?? 0) + parseQuantity(limit);
      }
    }
  }
  return usage;
}

/** What a namespace uses now of each quota name. */
function namespaceUsage(api: Api, namespace: string, names: readonly string[]): Record<string, number> {
  const usage: Record<string, number> = {};
  const add = (more: Readonly<Record<string, number>>) => {
    for (const [name, amount] of Object.entries(more)) usage[name] = (usage[name] ?? 0) + amount;
  };
  for (const pod of api.list("/pods", { namespace }).map(readPod)) {
    if (pod.status.phase !== "Succeeded" && pod.status.phase !== "Failed") add(podUsage(pod.spec));
  }
  for (const name of names) {
    const resource = counted[name];
    if (resource !== undefined) usage[name] = api.list(resource, { namespace }).length;
  }
  if (names.includes("requests.storage")) {
    for (const claim of api.list("/persistentvolumeclaims", { namespace })) {
      const { spec } = typed(claim, claimSpecShape, claimStatusShape);
      add({ "requests.storage": parseQuantity(spec.resources.requests.storage ?? "0") });
    }
  }
  return usage;
}

/** Reports what ResourceQuotas have left. Its key is a namespace. */
export function quotaController({ api }: Simulation): Controller {
  const relevant = new Set([quotas, "/pods", ...Object.values(counted)]);
  return {
    name: "quotas",
    resources: [...relevant],
    *concerns({ resource, object }) {
      if (relevant.has(resource)) yield object.metadata.namespace ?? "";
    },
    reconcile(namespace) {
      for (const quota of api.list(quotas, { namespace })) {
        const { spec } = typed(quota, quotaSpec, anything);
        const names = Object.keys(spec.hard);
        const usage = namespaceUsage(api, namespace, names);
        const used = Object.fromEntries(names.map((name) => [name, formatQuantity(usage[name] ?? 0, name)]));
        api.updateStatus(quotas, { ...quota, status: { hard: spec.hard, used } });
      }
      return undefined;
    },
  };
}
