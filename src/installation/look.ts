import pLimit from "p-limit";
import { apply, type Cluster } from "../cluster/cluster.ts";
import { isClusterError } from "../cluster/errors.ts";
import { everyPage } from "../cluster/every-page.ts";
import { find } from "../cluster/find.ts";
import type { KubeObject } from "../cluster/object.ts";
import { apiVersionOf, type Resource, resourceOf, resources } from "../cluster/resource.ts";
import { asWanted, isWrittenWhole, labelledAs } from "../provisioning/engine/write.ts";
import { objectEffect, refOf } from "../provisioning/objects/objects.ts";
import { effectKey } from "../provisioning/runs/effect.ts";
import { difference, type FieldDifference } from "./difference.ts";
import { type InstallationPart, partLabel } from "./objects.ts";

/** What an installation does, or would do, with one object. */
export interface ObjectChange {
  readonly object: KubeObject;
  readonly action: "create" | "change" | "delete" | "none";
  /** For a change: what differs. */
  readonly fields: readonly FieldDifference[];
}

/** Kinds of which an installation has objects that a later version may not have any more. */
const prunable: Readonly<Partial<Record<InstallationPart, readonly Resource[]>>> = {
  rights: [resources.clusterRoleBindings, resources.clusterRoles, resources.roleBindings, resources.roles],
  operator: [
    resources.deployments,
    resources.podDisruptionBudgets,
    resources.services,
    resources.serviceMonitors,
    resources.networkPolicies,
    resources.serviceAccounts,
  ],
  guardrails: [resources.validatingAdmissionPolicyBindings, resources.validatingAdmissionPolicies],
};

/** Requests at once. */
const atOnce = 8;

/**
 * Objects of a part as they are on the cluster, by their label, in the order in which they can be deleted.
 * @throws ClusterError
 */
export async function installedObjects(
  cluster: Cluster,
  part: InstallationPart,
): Promise<readonly KubeObject[]> {
  const lists = await Promise.all(
    (prunable[part] ?? []).map(async (resource) => {
      if (!(await cluster.serves(resource))) return [];
      const items = await everyPage(
        (page) => cluster.list(resource, { labelSelector: `${partLabel}=${part}`, ...page }),
        ({ items }) => items,
      );
      return items.map((item) => ({ ...item, apiVersion: apiVersionOf(resource), kind: resource.kind }));
    }),
  );
  return lists.flat();
}

/**
 * What writing a part would change, and what of an older version it would delete. Nothing is written.
 * @throws ClusterError
 */
export async function changesOf(
  cluster: Cluster,
  part: InstallationPart,
  desired: readonly KubeObject[],
): Promise<readonly ObjectChange[]> {
  const limit = pLimit(atOnce);
  const [changes, installed] = await Promise.all([
    Promise.all(desired.map((object) => limit(() => changeOf(cluster, object)))),
    installedObjects(cluster, part),
  ]);
  return [...changes, ...superfluous(desired, installed).map(deleted)];
}

/** What is installed of a part and not desired any more. Pure. */
export function superfluous(
  desired: readonly KubeObject[],
  installed: readonly KubeObject[],
): readonly KubeObject[] {
  const wanted = new Set(desired.map((object) => effectKey(objectEffect(object))));
  return installed.filter((object) => !wanted.has(effectKey(objectEffect(object))));
}

/** The change that deletes an object. Pure. */
export function deleted(object: KubeObject): ObjectChange {
  return { object, action: "delete", fields: [] };
}

async function changeOf(cluster: Cluster, object: KubeObject): Promise<ObjectChange> {
  const existing = await find(cluster, resourceOf(object), refOf(object));
  if (existing === undefined) return { object, action: "create", fields: [] };
  const desired = labelledAs(object, existing);
  if (asWanted(desired, existing)) return { object, action: "none", fields: [] };
  const fields = isWrittenWhole(object)
    ? difference(existing.spec, JSON.parse(JSON.stringify(object.spec)), "spec")
    : await applied(cluster, desired, existing);
  return { object, action: fields.length === 0 ? "none" : "change", fields };
}

/** What the server says an apply would change: what it sets by itself does not count. */
async function applied(
  cluster: Cluster,
  desired: KubeObject,
  existing: KubeObject,
): Promise<readonly FieldDifference[]> {
  try {
    const after = await apply(cluster, resourceOf(desired), desired, { dryRun: true });
    return difference(content(existing), content(after));
  } catch (error) {
    // What the server would refuse is told by the run; here it only has to be shown.
    if (!isClusterError(error, "invalid", "conflict")) throw error;
    return difference(content(existing), content(desired)).filter(({ after }) => after !== undefined);
  }
}

/** What a person or program sets of an object. */
function content({ metadata: { labels, annotations }, status: _, ...rest }: KubeObject): unknown {
  return {
    ...rest,
    metadata: {
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}
