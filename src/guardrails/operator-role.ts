import type { KubeObject } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import { clusterRole, type RoleRule, read, roleRule, systemRole } from "./roles.ts";

/** ClusterRoles that RoleBindings of the operator may name, in managed namespaces. */
export const boundByOperator = [
  "platform-team",
  "platform-namespace-team",
  "platform-operator-namespace",
  "platform-pipeline",
];

const write = ["create", "update", "patch", "delete"];
const all = [...read, ...write];
const own = "platform.company.com";

/**
 * What executing runs and reconciling Applications takes, kind by kind. The policies confine its writes to managed
 * namespaces; Secrets are not among it: those it reads only where {@link operatorNamespaceRole} is bound.
 */
export const operatorRules: readonly RoleRule[] = [
  roleRule(own, ["applications", "guardrails"], all),
  roleRule(own, ["applications/status"], ["get", "update", "patch"]),
  // An owner reference that blocks deletion takes the right to write the owner's finalizers.
  roleRule(own, ["applications/finalizers"], ["update"]),
  roleRule(own, ["runs"], [...read, "create", "update", "patch"]),
  roleRule(own, ["runs/status"], ["get", "update", "patch"]),
  roleRule(own, ["standards"], read),
  roleRule("", ["namespaces", "services", "serviceaccounts", "configmaps"], all),
  roleRule("", ["limitranges", "resourcequotas", "persistentvolumeclaims"], all),
  // Made only in dry runs, to see whether one would be refused: a policy says so. Deleted where its exception is over.
  roleRule("", ["pods"], [...read, "create", "delete"]),
  roleRule("", ["events"], [...read, "create", "patch"]),
  roleRule("events.k8s.io", ["events"], [...read, "create", "patch"]),
  roleRule("apps", ["deployments", "statefulsets"], all),
  roleRule("apps", ["replicasets"], read),
  roleRule("autoscaling", ["horizontalpodautoscalers"], all),
  roleRule("policy", ["poddisruptionbudgets"], all),
  roleRule("networking.k8s.io", ["networkpolicies"], all),
  // Nothing makes these; a deletion looks for them and takes along what carries the service's labels.
  roleRule("networking.k8s.io", ["ingresses"], [...read, "delete"]),
  // Rotations of credentials and migrations reach a data store by Jobs beside it.
  roleRule("batch", ["jobs"], all),
  roleRule("rbac.authorization.k8s.io", ["rolebindings"], all),
  // Services made before had a Role of their own: a rollback may bring it back, with no more than the team's rights.
  roleRule("rbac.authorization.k8s.io", ["roles"], [...read, "delete"]),
  roleRule("rbac.authorization.k8s.io", ["clusterroles"], ["bind"], boundByOperator),
  roleRule("monitoring.coreos.com", ["servicemonitors", "prometheusrules"], all),
  roleRule("monitoring.coreos.com", ["prometheuses"], read),
  roleRule("gateway.networking.k8s.io", ["httproutes"], all),
  roleRule("cert-manager.io", ["certificates"], all),
  roleRule("externaldns.k8s.io", ["dnsendpoints"], all),
  roleRule("security.istio.io", ["peerauthentications"], all),
  // What has External Secrets Operator make credentials; none of it holds a value.
  roleRule("external-secrets.io", ["externalsecrets", "pushsecrets"], all),
  roleRule("external-secrets.io", ["clustersecretstores"], read),
  roleRule("generators.external-secrets.io", ["passwords"], all),
  // Written only in platform-databases, by a role of its own.
  roleRule("postgresql.cnpg.io", ["clusters"], read),
  roleRule("snapshot.storage.k8s.io", ["volumesnapshots"], all),
  roleRule("snapshot.storage.k8s.io", ["volumesnapshotcontents"], [...read, "patch", "delete"]),
  roleRule("snapshot.storage.k8s.io", ["volumesnapshotclasses"], read),
  roleRule("storage.k8s.io", ["storageclasses"], read),
  roleRule("apiextensions.k8s.io", ["customresourcedefinitions"], read),
];

/** The operator in the whole cluster. */
export function operatorRole({ monitoring }: Standards): KubeObject {
  const { prometheus } = monitoring;
  return clusterRole(
    "platform-operator",
    "Execute runs and reconcile Applications; policies confine what it writes to managed namespaces.",
    [
      ...operatorRules,
      ...(prometheus === undefined
        ? []
        : [roleRule("", ["services/proxy"], ["get"], [`${prometheus.service}:${prometheus.port}`])]),
    ],
  );
}

/** The operator in one managed namespace: credentials, and seeing whether a namespace is empty before it is deleted. */
export const operatorNamespaceRole: KubeObject = clusterRole(
  "platform-operator-namespace",
  "The operator in a managed namespace: the credentials of its services, what migrations say, and a look at everything before it deletes the namespace.",
  [
    roleRule("", ["secrets"], all),
    roleRule("", ["pods/log"], ["get"]),
    { apiGroups: ["*"], resources: ["*"], verbs: ["list"] },
  ],
);

/** The operator in the platform's own namespace: leadership, its runs' signs of life and their long logs. */
export const operatorSystemRole: KubeObject = systemRole(
  "platform-operator",
  "Leases of the operator and of runs, and the ConfigMaps that hold the rest of long logs and say who works on Terraform's states in buckets.",
  [roleRule("coordination.k8s.io", ["leases"], all), roleRule("", ["configmaps"], all)],
);
