import { operatorName, systemNamespace } from "../application/names.ts";
import type { KubeObject } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import { partLabels } from "./policy.ts";

interface Subject {
  readonly kind: "Group" | "ServiceAccount";
  readonly name: string;
  readonly namespace?: string;
  readonly apiGroup?: string;
}

const rbac = "rbac.authorization.k8s.io";

/** Groups as subjects, each once and in order, so that the same standards give the same object. */
export function groups(names: readonly string[]): readonly Subject[] {
  return [...new Set(names)].sort().map((name) => ({ apiGroup: rbac, kind: "Group", name }));
}

export const operatorSubject: Subject = {
  kind: "ServiceAccount",
  name: operatorName,
  namespace: systemNamespace,
};

export function groupsOfTeams({ teams }: Standards): readonly string[] {
  return Object.values(teams).flatMap((team) => team.groups);
}

function clusterBinding(role: string, subjects: readonly Subject[]): KubeObject {
  return {
    apiVersion: `${rbac}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: role, labels: partLabels },
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: role },
    subjects,
  };
}

function systemBinding(role: string, subjects: readonly Subject[]): KubeObject {
  return {
    apiVersion: `${rbac}/v1`,
    kind: "RoleBinding",
    metadata: { name: role, namespace: systemNamespace, labels: partLabels },
    roleRef: { apiGroup: rbac, kind: "Role", name: role },
    subjects,
  };
}

/** Who holds the shipped roles. What a team may in its own namespaces is bound there, by whoever makes them. */
export function bindings(standards: Standards): readonly KubeObject[] {
  const teams = groupsOfTeams(standards);
  const oncall = standards.oncall.groups;
  return [
    clusterBinding("platform-operator", [operatorSubject]),
    systemBinding("platform-operator", [operatorSubject]),
    clusterBinding("platform-developer", groups(teams)),
    clusterBinding("platform-oncall", groups(oncall)),
    systemBinding("platform-reader", groups([...teams, ...oncall])),
    // Which ServiceAccounts are pipelines, and of which service, admission decides: RBAC has no patterns.
    systemBinding("platform-pipeline", groups(["system:serviceaccounts"])),
    clusterBinding("platform-standards", groups(["system:serviceaccounts"])),
  ];
}
