import type { KubeObject } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import type { Application } from "./application.ts";
import { cache } from "./objects/cache.ts";
import { database } from "./objects/database.ts";
import { monitoring } from "./objects/monitoring.ts";
import { limitRange, namespace, resourceQuota, serviceAccount } from "./objects/namespace.ts";
import { network } from "./objects/network.ts";
import { networkPolicies } from "./objects/network-policies.ts";
import { subjectOf } from "./objects/subject.ts";
import { teamRole, teamRoleBinding } from "./objects/team-access.ts";
import { workload } from "./objects/workload.ts";

/** The parts of a service, each made by a step of its own. */
export const parts = ["namespace", "database", "cache", "monitoring", "network", "workload"] as const;
export type Part = (typeof parts)[number];

/**
 * Every Kubernetes object of a service, by part and in the order to write them: the Namespace is the first of
 * `namespace` and has to exist before any other. A part that the service does not have is empty. The Application
 * itself and the Secrets (`credentials.ts`) are not among them; no object here holds a secret's value.
 * Workload objects are owned by the Application once it carries a UID.
 */
export function desiredObjects(
  application: Application,
  standards: Standards,
): Readonly<Record<Part, readonly KubeObject[]>> {
  const subject = subjectOf(application, standards);
  const roleBinding = teamRoleBinding(subject);
  return {
    namespace: [
      namespace(subject),
      limitRange(subject),
      resourceQuota(subject),
      ...networkPolicies(subject),
      serviceAccount(subject),
      teamRole(subject),
      ...(roleBinding === undefined ? [] : [roleBinding]),
    ],
    database: subject.spec.database === undefined ? [] : database(subject),
    cache: subject.spec.cache === undefined ? [] : cache(subject),
    monitoring: monitoring(subject),
    network: network(subject),
    workload: workload(subject),
  };
}
