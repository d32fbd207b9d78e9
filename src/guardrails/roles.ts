import { systemNamespace } from "../application/names.ts";
import { pipelineName } from "../application/objects/pipeline-access.ts";
import type { KubeObject } from "../cluster/object.ts";
import { type Standards, standardsName } from "../standards/standards.ts";
import { partLabels } from "./policy.ts";

/** A rule of a role, as RBAC has it. */
export interface RoleRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

export const read = ["get", "list", "watch"];

export function roleRule(
  group: string,
  resources: readonly string[],
  verbs: readonly string[],
  resourceNames?: readonly string[],
): RoleRule {
  return { apiGroups: [group], resources, verbs, ...(resourceNames === undefined ? {} : { resourceNames }) };
}

export function clusterRole(name: string, description: string, rules: readonly RoleRule[]): KubeObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name, labels: partLabels, annotations: { "platform.company.com/reason": description } },
    rules,
  };
}

/** Rights in the platform's own namespace. */
export function systemRole(name: string, description: string, rules: readonly RoleRule[]): KubeObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: {
      name,
      namespace: systemNamespace,
      labels: partLabels,
      annotations: { "platform.company.com/reason": description },
    },
    rules,
  };
}

const own = "platform.company.com";

/** What runs and serves, of every kind that services are made of; none of these holds a secret. */
const workloads: readonly RoleRule[] = [
  roleRule("", ["endpoints", "events", "limitranges", "persistentvolumeclaims", "pods", "pods/status"], read),
  roleRule("", ["resourcequotas", "serviceaccounts", "services"], read),
  roleRule("apps", ["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"], read),
  roleRule("autoscaling", ["horizontalpodautoscalers"], read),
  roleRule("batch", ["cronjobs", "jobs"], read),
  roleRule("discovery.k8s.io", ["endpointslices"], read),
  roleRule("events.k8s.io", ["events"], read),
  roleRule("networking.k8s.io", ["ingresses", "networkpolicies"], read),
  roleRule("policy", ["poddisruptionbudgets"], read),
  roleRule("cert-manager.io", ["certificates"], read),
  roleRule("externaldns.k8s.io", ["dnsendpoints"], read),
  roleRule("gateway.networking.k8s.io", ["gateways", "httproutes"], read),
  roleRule("monitoring.coreos.com", ["prometheuses", "prometheusrules", "servicemonitors"], read),
  roleRule("security.istio.io", ["peerauthentications"], read),
  roleRule("external-secrets.io", ["clustersecretstores", "externalsecrets", "pushsecrets"], read),
  roleRule("generators.external-secrets.io", ["passwords"], read),
  roleRule("postgresql.cnpg.io", ["clusters"], read),
  roleRule("snapshot.storage.k8s.io", ["volumesnapshots"], read),
];

/** The guardrails themselves: whoever is refused may see by what. */
const rulesOfTheGame: readonly RoleRule[] = [
  roleRule(own, ["standards", "guardrails"], read),
  roleRule("admissionregistration.k8s.io", ["validatingadmissionpolicies"], read),
  roleRule("admissionregistration.k8s.io", ["validatingadmissionpolicybindings"], read),
  roleRule("apiextensions.k8s.io", ["customresourcedefinitions"], read),
  roleRule("storage.k8s.io", ["storageclasses"], read),
];

/** Asking Prometheus through the API server's proxy, and no other Service. */
function metrics({ monitoring }: Standards): readonly RoleRule[] {
  if (monitoring.prometheus === undefined) return [];
  const { service, port } = monitoring.prometheus;
  return [roleRule("", ["services/proxy"], ["get"], [`${service}:${port}`])];
}

function forDevelopers(standards: Standards): readonly RoleRule[] {
  return [
    // Deleted are only requests of one's own that nobody has begun with: a policy says so.
    roleRule(own, ["runs"], [...read, "create", "delete"]),
    roleRule(own, ["applications"], read),
    roleRule("", ["namespaces"], read),
    ...workloads,
    ...rulesOfTheGame,
    ...metrics(standards),
  ];
}

/** Requests runs and reads; bound in the whole cluster to the groups of all teams. */
export function developerRole(standards: Standards): KubeObject {
  return clusterRole(
    "platform-developer",
    "Ask for runs, and see what services are made of: no Secrets, no logs, no shells, no writes but requests.",
    forDevelopers(standards),
  );
}

/** The same, and what on-call does: runs are resumed and rolled back, logs read, shells opened. */
export function oncallRole(standards: Standards): KubeObject {
  return clusterRole(
    "platform-oncall",
    "What developers may, and: retry, resume, roll back and cancel runs, read logs, open shells and tunnels.",
    [
      ...forDevelopers(standards),
      roleRule(own, ["runs"], ["update", "patch"]),
      roleRule("", ["pods/log"], ["get"]),
      roleRule("", ["pods/exec", "pods/portforward"], ["get", "create"]),
    ],
  );
}

/** Beside a service: a look at everything of it but Secrets, and its Application to edit. RBAC cannot say "all but", so kinds are spelt out. */
const team: readonly RoleRule[] = [
  roleRule("", ["configmaps", "pods/log"], read),
  ...workloads,
  roleRule("cert-manager.io", ["certificaterequests"], read),
  roleRule("rbac.authorization.k8s.io", ["rolebindings", "roles"], read),
  roleRule(own, ["guardrails"], read),
  // Without resourceNames: admission asks whether a person may update applications in this namespace.
  roleRule(own, ["applications", "applications/scale"], [...read, "update", "patch"]),
  roleRule(own, ["applications/status"], ["get"]),
];

/** Bound by RoleBinding `team` in the namespace of a service. */
export const teamRole: KubeObject = clusterRole(
  "platform-team",
  "The owning team in the namespace of its service: see everything but Secrets, make those of the service's own, edit the Application.",
  // What is made is answered with what was sent; a patch would be answered with what is there.
  [...team, roleRule("", ["secrets"], ["create"])],
);

/** Bound by RoleBinding `team` in a namespace that several services share. */
export const namespaceTeamRole: KubeObject = clusterRole(
  "platform-namespace-team",
  "The owning team in a namespace of several services: the same, and make and delete Applications.",
  [...team, roleRule(own, ["applications"], ["create", "delete"])],
);

/** Bound by RoleBinding `pipeline` in the namespace of a service. */
export const pipelineNamespaceRole: KubeObject = clusterRole(
  "platform-pipeline",
  "The pipeline in the namespace of its service: see the Application that it deploys.",
  [roleRule(own, ["applications"], ["get"])],
);

/** Whom the organisation's CI signs in as, in the namespace of a service; the platform binds it to nobody. */
export const pipelineTokenRole: KubeObject = clusterRole(
  "platform-pipeline-token",
  "Act as the pipeline of the namespace's service, by a token that soon runs out. Bind it there to the CI's identity.",
  [roleRule("", ["serviceaccounts/token"], ["create"], [pipelineName])],
);

/** What is asked for is checked against the standards before it is asked for. */
export const standardsRole: KubeObject = clusterRole(
  "platform-standards",
  "Read the organisation's standards: for pipelines, and bound to all service accounts.",
  [roleRule(own, ["standards"], ["get"], [standardsName])],
);

/** What a pipeline needs to ask for its service's deployment and to see what became of it. */
export const pipelineRole: KubeObject = systemRole(
  "platform-pipeline",
  "Ask for runs and follow them by name; admission lets pipelines ask only for deployments of their own service.",
  [roleRule(own, ["runs"], ["create", "get"])],
);

/** What is kept beside runs: the rest of long logs, and the signs of life of who executes them. */
export const readerRole: KubeObject = systemRole(
  "platform-reader",
  "Read the logs of runs, and whether those who execute them are alive.",
  [roleRule("", ["configmaps"], read), roleRule("coordination.k8s.io", ["leases"], read)],
);
