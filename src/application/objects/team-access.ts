import type { KubeObject } from "../../cluster/object.ts";
import { metadataIn, type Place } from "./subject.ts";

/** What the owning team may do in a service's namespace: read all but Secrets, and edit the Application. */
const teamClusterRole = "platform-team";

/** What it may do in a namespace that several services share: create and delete Applications too. */
const namespaceTeamClusterRole = "platform-namespace-team";

/** Name of the RoleBinding in each managed namespace. */
export const teamBindingName = "team";

/** Binds the team's role to the groups that the standards say are the team; none where the standards do not know it. */
export function teamRoleBinding(place: Place): KubeObject | undefined {
  const team = place.standards.teams[place.team];
  if (team === undefined) return undefined;
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: metadataIn(place, teamBindingName),
    roleRef: {
      apiGroup: "rbac.authorization.k8s.io",
      kind: "ClusterRole",
      name: place.service === undefined ? namespaceTeamClusterRole : teamClusterRole,
    },
    subjects: [...new Set(team.groups)].sort().map((group) => ({
      apiGroup: "rbac.authorization.k8s.io",
      kind: "Group",
      name: group,
    })),
  };
}
