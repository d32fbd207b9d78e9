import type { KubeObject } from "../../cluster/object.ts";
import { metadataOf, type Subject } from "./subject.ts";

const read = ["get", "list", "watch"];
const name = "team";

/**
 * What the owning team may do in the service's namespace: read everything but Secrets, and edit the Application.
 * RBAC cannot say "all but", so the core group is spelt out; the other groups listed hold no secrets.
 */
export function teamRole(subject: Subject): KubeObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: metadataOf(subject, "namespace", name),
    rules: [
      {
        apiGroups: [""],
        resources: [
          "configmaps",
          "endpoints",
          "events",
          "limitranges",
          "persistentvolumeclaims",
          "pods",
          "pods/log",
          "pods/status",
          "resourcequotas",
          "serviceaccounts",
          "services",
        ],
        verbs: read,
      },
      {
        apiGroups: [
          "apps",
          "autoscaling",
          "batch",
          "cert-manager.io",
          "discovery.k8s.io",
          "events.k8s.io",
          "externaldns.k8s.io",
          "gateway.networking.k8s.io",
          "monitoring.coreos.com",
          "networking.k8s.io",
          "policy",
          "rbac.authorization.k8s.io",
          "security.istio.io",
        ],
        resources: ["*"],
        verbs: read,
      },
      // Without resourceNames: admission asks whether a person may update applications in this namespace.
      {
        apiGroups: ["platform.company.com"],
        resources: ["applications", "applications/scale"],
        verbs: [...read, "update", "patch"],
      },
      { apiGroups: ["platform.company.com"], resources: ["applications/status"], verbs: ["get"] },
    ],
  };
}

/** Binds the role to the groups that the standards say are the team; none where the standards do not know it. */
export function teamRoleBinding(subject: Subject): KubeObject | undefined {
  const team = subject.standards.teams[subject.spec.team];
  if (team === undefined) return undefined;
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: metadataOf(subject, "namespace", name),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
    subjects: [...new Set(team.groups)].sort().map((group) => ({
      apiGroup: "rbac.authorization.k8s.io",
      kind: "Group",
      name: group,
    })),
  };
}
