import { z } from "zod";
import { namespaceObjects } from "../../application/desired-objects.ts";
import { labels, providerAnnotation } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resourceOf, resources } from "../../cluster/resource.ts";
import type { Standards } from "../../standards/standards.ts";
import { ProvisioningError } from "../errors.ts";
import { refOf } from "../objects/objects.ts";
import { served } from "../steps/served.ts";
import type { NamespaceChange, NamespacePlan } from "./manage.ts";
import { mayBeManaged } from "./may-be-managed.ts";
import { mayManage } from "./rights.ts";

/**
 * What it takes to manage a namespace no longer: its labels and what guards it go, everything else stays. Writes nothing.
 * @throws ProvisioningError: `rights`; `usage` where it is not managed, or belongs to a service; `refused` where
 *   Applications or their data stores are in it
 */
export async function planUnmanage(
  cluster: Cluster,
  standards: Standards,
  name: string,
): Promise<NamespacePlan> {
  const live = await find(cluster, resources.namespaces, { name });
  const found = live?.metadata.labels ?? {};
  const service = found[labels.service];
  const team = found[labels.team] ?? "";
  const tier = found[labels.tier] ?? "";
  if (live === undefined) {
    throw new ProvisioningError(
      "usage",
      `there is no namespace ${name}`,
      "see them with: kubectl get namespaces",
    );
  }
  if (service !== undefined) {
    throw new ProvisioningError(
      "usage",
      `${name} belongs to service ${service}`,
      `it goes with it: platform service delete ${service}`,
    );
  }
  mayBeManaged(name, live, standards);
  const objects = await ownObjects(cluster, standards, { name, team, tier });
  await mayManage(cluster, standards, [live, ...objects], name);
  await mustBeUnused(cluster, name);
  const isManaged = found[labels.managed] === "true";
  const existing = await Promise.all(
    objects.map((object) => find(cluster, resourceOf(object), refOf(object))),
  );
  const guards = existing.filter((object) => object?.metadata.labels?.[labels.managed] === "true");
  if (!isManaged && guards.length === 0) {
    throw new ProvisioningError("usage", `${name} is not managed`, "nothing is to be done");
  }
  return {
    managed: { name, team, tier },
    // Unmanaged first: without what guards it, a managed namespace lets nothing start.
    changes: [
      ...(isManaged ? [{ object: withoutLabels(live), existing: live, action: "change" as const }] : []),
      ...guards.flatMap((object): readonly NamespaceChange[] =>
        object === undefined ? [] : [{ object, existing: object, action: "delete" }],
      ),
    ],
    notes: [
      "pods and everything else in it stay as they are, without guardrails",
      ...guards.flatMap((object) => exceptionsNote(object)),
    ],
  };
}

/** Exceptions are what people have written: they are told of before they go. */
function exceptionsNote(object: KubeObject | undefined): readonly string[] {
  if (object?.kind !== resources.guardrails.kind) return [];
  const { exceptions } = z.object({ exceptions: z.array(z.unknown()).default([]) }).parse(object.spec);
  const { length } = exceptions;
  return length === 0
    ? []
    : [`${length} ${length === 1 ? "exception goes" : "exceptions go"} with its guardrails`];
}

/** What the platform may have given the namespace, by the standards of now; kinds that are not served left out. */
async function ownObjects(
  cluster: Cluster,
  standards: Standards,
  managed: { readonly name: string; readonly team: string; readonly tier: string },
): Promise<readonly KubeObject[]> {
  const mesh = { ...standards, network: { ...standards.network, mesh: "istio" as const } };
  const teams = { [managed.team]: { groups: ["nobody"] }, ...standards.teams };
  const objects = namespaceObjects(managed, { ...mesh, teams }, { guardrails: true });
  return (
    await served(
      cluster,
      objects.filter(({ kind }) => kind !== "Namespace"),
    )
  ).objects;
}

/** The Namespace as we apply it once it is not ours: with nothing. What others have set stays. */
function withoutLabels({ apiVersion, kind, metadata: { name, uid } }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: { name, ...(uid === undefined ? {} : { uid }) } };
}

async function mustBeUnused(cluster: Cluster, namespace: string): Promise<void> {
  const managed = { namespace, labelSelector: `${labels.managed}=true` };
  const [applications, sets, records] = await Promise.all([
    cluster.listMetadata(resources.applications, { namespace }),
    cluster.listMetadata(resources.statefulSets, managed),
    cluster.listMetadata(resources.configMaps, managed),
  ]);
  const outside = records.items.filter(
    ({ metadata }) => metadata.annotations?.[providerAnnotation] !== undefined,
  );
  const used = applications.items.map(({ metadata }) => `applications.platform.company.com/${metadata.name}`);
  const kept = sets.items.map(({ metadata }) => `statefulsets/${metadata.name}`);
  const recorded = outside.map(({ metadata }) => `configmaps/${metadata.name}`);
  const found = [...used, ...kept, ...recorded];
  if (found.length === 0) return;
  const services = new Set([
    ...applications.items.map(({ metadata }) => metadata.name),
    ...[...sets.items, ...outside].flatMap(({ metadata }) => metadata.labels?.[labels.service] ?? []),
  ]);
  const deletions = [...services].map(
    (service) => `platform service delete ${namespace}/${service} --data-stores delete`,
  );
  throw new ProvisioningError(
    "refused",
    `${namespace} has services or their data: ${found.slice(0, 10).join(", ")}`,
    `delete them first: ${deletions.slice(0, 3).join("; ")}`,
  );
}
