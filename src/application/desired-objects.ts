import type { KubeObject } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import { tierOf } from "../standards/tier.ts";
import type { Application } from "./application.ts";
import type { ClusterFacts } from "./cluster-facts.ts";
import { cache } from "./objects/cache.ts";
import { database } from "./objects/database.ts";
import { guardrails } from "./objects/guardrails.ts";
import { monitoring } from "./objects/monitoring.ts";
import { limitRange, namespace, resourceQuota, serviceAccount } from "./objects/namespace.ts";
import { meshMembership, network } from "./objects/network.ts";
import { namespacePolicies, servicePolicies } from "./objects/network-policies.ts";
import { operatorRoleBinding } from "./objects/operator-access.ts";
import { pipelineAccess } from "./objects/pipeline-access.ts";
import { type Place, subjectOf } from "./objects/subject.ts";
import { teamRoleBinding } from "./objects/team-access.ts";
import { workload } from "./objects/workload.ts";
import { isInCluster } from "./store-provider.ts";

/** The parts of a service, each made by a step of its own. */
export const parts = ["namespace", "database", "cache", "monitoring", "network", "workload"] as const;
export type Part = (typeof parts)[number];

/** Objects by part. */
export type ObjectsByPart = Readonly<Record<Part, readonly KubeObject[]>>;

/** A managed namespace, as its labels tell it. */
export interface ManagedNamespace {
  readonly name: string;
  readonly team: string;
  /** Left out: the standards' default. */
  readonly tier?: string | undefined;
  /** The service that it belongs to; left out where several share it. */
  readonly service?: string | undefined;
}

function placeOf({ name, team, tier, service }: ManagedNamespace, standards: Standards): Place {
  return { namespace: name, team, tier: tier ?? tierOf(standards).name, service, standards };
}

/**
 * What a managed namespace has of itself, whatever services are in it: the Namespace first, then limits, quota,
 * the rights of the operator and of the service's pipeline, guardrails, closed network policies, the mesh's membership and the
 * rights of the team. Pure.
 */
export function namespaceObjects(
  managed: ManagedNamespace,
  standards: Standards,
  facts: Pick<ClusterFacts, "guardrails"> = {},
): readonly KubeObject[] {
  const place = placeOf(managed, standards);
  return [...ownOf(place, facts), ...meshMembership(place)];
}

function ownOf(place: Place, facts: Pick<ClusterFacts, "guardrails">): readonly KubeObject[] {
  const roleBinding = teamRoleBinding(place);
  return [
    namespace(place),
    limitRange(place),
    resourceQuota(place),
    ...(facts.guardrails === true
      ? [operatorRoleBinding(place), guardrails(place), ...pipelineAccess(place)]
      : []),
    ...namespacePolicies(place),
    ...(roleBinding === undefined ? [] : [roleBinding]),
  ];
}

/**
 * What an Application has of its own, by part, whatever its namespace has. `namespace` is its identity and its paths
 * through the network. All but the data stores are controlled by the Application once it carries a UID. Pure.
 * @throws RefusedInput where it asks for what the standards do not offer
 */
export function applicationObjects(
  application: Application,
  standards: Standards,
  facts: ClusterFacts = {},
): ObjectsByPart {
  const subject = subjectOf(application, standards, facts);
  return {
    namespace: [...servicePolicies(subject), serviceAccount(subject)],
    database: isInCluster(subject.spec, "database") ? database(subject) : [],
    cache: isInCluster(subject.spec, "cache") ? cache(subject) : [],
    monitoring: monitoring(subject),
    network: network(subject),
    workload: workload(subject),
  };
}

/**
 * Every Kubernetes object of a service that has its namespace to itself, by part and in the order to write them: the
 * Namespace is the first of `namespace` and has to exist before any other. A part that the service does not have is
 * empty, and so is a data store outside of the cluster. The Application itself and the Secrets (`credentials.ts`) are not among them; no object here holds a
 * secret's value. Pure.
 * @throws RefusedInput where it asks for what the standards do not offer
 */
export function desiredObjects(
  application: Application,
  standards: Standards,
  facts: ClusterFacts = {},
): ObjectsByPart {
  const { name, namespace: place } = application.metadata;
  const { team } = application.spec;
  const managed = placeOf({ name: place, team, tier: facts.tier, service: name }, standards);
  const own = applicationObjects(application, standards, facts);
  return {
    ...own,
    namespace: [...ownOf(managed, facts), ...own.namespace],
    network: [...meshMembership(managed), ...own.network],
  };
}
