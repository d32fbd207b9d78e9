import { isDeepStrictEqual } from "node:util";
import { type ManagedNamespace, namespaceObjects } from "../../application/desired-objects.ts";
import { labels } from "../../application/names.ts";
import { apply, type Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resourceOf, resources } from "../../cluster/resource.ts";
import type { Standards } from "../../standards/standards.ts";
import { tierOf } from "../../standards/tier.ts";
import { asWanted, labelledAs } from "../engine/write.ts";
import { ProvisioningError } from "../errors.ts";
import { refOf } from "../objects/objects.ts";
import { served } from "../steps/served.ts";
import { mayBeManaged } from "./may-be-managed.ts";
import { refusedPods } from "./refused-pods.ts";
import { mayManage } from "./rights.ts";

/** What becomes of one object of a namespace. */
export interface NamespaceChange {
  readonly object: KubeObject;
  /** `replace`: it is deleted and made again, because what differs cannot be changed. */
  readonly action: "create" | "change" | "replace" | "delete" | "none";
  /** What is there. */
  readonly existing?: KubeObject;
}

/** What managing a namespace, or managing it no longer, will do; computed from what is there. */
export interface NamespacePlan {
  readonly managed: Required<Pick<ManagedNamespace, "name" | "team">> & { readonly tier: string };
  /** In the order in which they are done. */
  readonly changes: readonly NamespaceChange[];
  /** What a person should know before. */
  readonly notes: readonly string[];
}

/** Most names that one message tells. */
const shown = 10;

/**
 * What it takes to let a namespace be managed. Writes nothing.
 * @throws ProvisioningError: `rights`; `usage` for a team or tier that the standards do not know, or a namespace that
 *   cannot be managed; `refused` where pods run in it that would be refused, or an object is in the way
 */
export async function planManage(
  cluster: Cluster,
  standards: Standards,
  request: { readonly name: string; readonly team: string; readonly tier?: string | undefined },
): Promise<NamespacePlan> {
  const { name, team } = request;
  known("team", team, Object.keys(standards.teams));
  const live = await find(cluster, resources.namespaces, { name });
  mayBeManaged(name, live, standards);
  const found = live?.metadata.labels ?? {};
  const service = found[labels.service];
  const owner = found[labels.team];
  if (service !== undefined && owner !== undefined && owner !== team) {
    throw new ProvisioningError(
      "usage",
      `${name} is that of service ${service}, which team ${owner} owns`,
      `give --team ${owner}`,
    );
  }
  const tier = tierOf(standards, request.tier ?? found[labels.tier]).name;
  known("tier", tier, Object.keys(standards.tiers));
  const guardrails = await cluster.serves(resources.guardrails);
  const wanted = namespaceObjects({ name, team, tier, service }, standards, { guardrails });
  const { objects, missing } = await served(cluster, wanted);
  await mayManage(cluster, standards, objects, name);
  const pods = live === undefined ? [] : (await cluster.list(resources.pods, { namespace: name })).items;
  refuseUnfit(name, refusedPods(pods, standards, tier));
  const changes = await Promise.all(objects.map((object) => changeOf(cluster, object, live)));
  const [first, ...others] = changes;
  return {
    managed: { name, team, tier },
    // What guards a namespace that exists is there before anything relies on it.
    changes: first === undefined ? [] : live === undefined ? [first, ...others] : [...others, first],
    notes: [
      ...missing,
      ...(pods.length > 0 && found[labels.managed] !== "true"
        ? [
            `${pods.length} ${pods.length === 1 ? "pod runs" : "pods run"} in ${name}: from now on nothing reaches them, and they reach nothing, but by network policies`,
          ]
        : []),
    ],
  };
}

function known(what: "team" | "tier", name: string, names: readonly string[]): void {
  if (names.includes(name)) return;
  throw new ProvisioningError(
    "usage",
    `the standards know no ${what} ${name}`,
    `use one of: ${[...names].sort().join(", ")}`,
  );
}

function refuseUnfit(namespace: string, refused: ReturnType<typeof refusedPods>): void {
  if (refused.length === 0) return;
  const list = refused.slice(0, shown).map(({ name, reason }) => `${name}: ${reason}`);
  const more = refused.length <= shown ? "" : `; and ${refused.length - shown} more`;
  throw new ProvisioningError(
    "refused",
    `${namespace} has pods that a managed namespace would refuse: ${list.join("; ")}${more}`,
    "mend them or move them to another namespace, then try again",
  );
}

async function changeOf(
  cluster: Cluster,
  wanted: KubeObject,
  namespace: KubeObject | undefined,
): Promise<NamespaceChange> {
  const existing =
    wanted.kind === resources.namespaces.kind
      ? namespace
      : namespace === undefined
        ? undefined
        : await find(cluster, resourceOf(wanted), refOf(wanted));
  if (existing === undefined) return { object: wanted, action: "create" };
  const object = labelledAs(wanted, existing);
  if (asWanted(object, existing)) return { object, existing, action: "none" };
  if (object.kind === resources.namespaces.kind) return { object, existing, action: "change" };
  if (existing.metadata.labels?.[labels.managed] !== "true") {
    throw new ProvisioningError(
      "refused",
      `${object.kind} ${object.metadata.name} in ${object.metadata.namespace} exists and is not the platform's`,
      "rename it, or have its owner delete it",
    );
  }
  const same = object.roleRef === undefined || isDeepStrictEqual(object.roleRef, existing.roleRef);
  return { object, existing, action: same ? "change" : "replace" };
}

/** Does what the plan says, one object after the other; doing it again finishes what was cut off. @throws ClusterError */
export async function carryOut(cluster: Cluster, { changes }: NamespacePlan): Promise<void> {
  for (const { object, existing, action } of changes) {
    if (action === "none") continue;
    if (action === "delete" || action === "replace") await remove(cluster, existing ?? object);
    if (action !== "delete") await apply(cluster, resourceOf(object), object);
  }
}

async function remove(cluster: Cluster, object: KubeObject): Promise<void> {
  const { uid } = object.metadata;
  try {
    await cluster.delete(resourceOf(object), refOf(object), uid === undefined ? {} : { uid });
  } catch (error) {
    if (!isClusterError(error, "not-found")) throw error;
  }
}
