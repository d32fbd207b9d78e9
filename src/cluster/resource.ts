/** A served resource: what kubectl calls group, version and resource, with the kind its objects carry. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Lower-case plural as in the URL, for example `deployments`. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

function resource(apiVersion: string, kind: string, plural: string, namespaced = true): Resource {
  const slash = apiVersion.indexOf("/");
  return {
    group: slash === -1 ? "" : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    plural,
    kind,
    namespaced,
  };
}

/** `apiVersion` of a resource's objects: `v1` or `apps/v1`. */
export function apiVersionOf({ group, version }: Pick<Resource, "group" | "version">): string {
  return group === "" ? version : `${group}/${version}`;
}

/** Name of the CustomResourceDefinition that brings a kind. */
export function definitionOf({ plural, group }: Pick<Resource, "plural" | "group">): string {
  return `${plural}.${group}`;
}

/** Every resource this program reads or writes by name. Others are found by discovery. */
export const resources = {
  namespaces: resource("v1", "Namespace", "namespaces", false),
  pods: resource("v1", "Pod", "pods"),
  services: resource("v1", "Service", "services"),
  secrets: resource("v1", "Secret", "secrets"),
  configMaps: resource("v1", "ConfigMap", "configmaps"),
  serviceAccounts: resource("v1", "ServiceAccount", "serviceaccounts"),
  limitRanges: resource("v1", "LimitRange", "limitranges"),
  resourceQuotas: resource("v1", "ResourceQuota", "resourcequotas"),
  persistentVolumeClaims: resource("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  events: resource("v1", "Event", "events"),
  nodes: resource("v1", "Node", "nodes", false),
  deployments: resource("apps/v1", "Deployment", "deployments"),
  statefulSets: resource("apps/v1", "StatefulSet", "statefulsets"),
  replicaSets: resource("apps/v1", "ReplicaSet", "replicasets"),
  jobs: resource("batch/v1", "Job", "jobs"),
  networkPolicies: resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
  ingresses: resource("networking.k8s.io/v1", "Ingress", "ingresses"),
  roles: resource("rbac.authorization.k8s.io/v1", "Role", "roles"),
  roleBindings: resource("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
  clusterRoles: resource("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false),
  clusterRoleBindings: resource(
    "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
    false,
  ),
  validatingAdmissionPolicies: resource(
    "admissionregistration.k8s.io/v1",
    "ValidatingAdmissionPolicy",
    "validatingadmissionpolicies",
    false,
  ),
  validatingAdmissionPolicyBindings: resource(
    "admissionregistration.k8s.io/v1",
    "ValidatingAdmissionPolicyBinding",
    "validatingadmissionpolicybindings",
    false,
  ),
  podDisruptionBudgets: resource("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  horizontalPodAutoscalers: resource("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
  leases: resource("coordination.k8s.io/v1", "Lease", "leases"),
  storageClasses: resource("storage.k8s.io/v1", "StorageClass", "storageclasses", false),
  volumeSnapshots: resource("snapshot.storage.k8s.io/v1", "VolumeSnapshot", "volumesnapshots"),
  volumeSnapshotContents: resource(
    "snapshot.storage.k8s.io/v1",
    "VolumeSnapshotContent",
    "volumesnapshotcontents",
    false,
  ),
  volumeSnapshotClasses: resource(
    "snapshot.storage.k8s.io/v1",
    "VolumeSnapshotClass",
    "volumesnapshotclasses",
    false,
  ),
  customResourceDefinitions: resource(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    false,
  ),
  selfSubjectAccessReviews: resource(
    "authorization.k8s.io/v1",
    "SelfSubjectAccessReview",
    "selfsubjectaccessreviews",
    false,
  ),
  selfSubjectReviews: resource("authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews", false),
  applications: resource("platform.company.com/v1", "Application", "applications"),
  runs: resource("platform.company.com/v1", "Run", "runs"),
  standards: resource("platform.company.com/v1", "Standards", "standards", false),
  guardrails: resource("platform.company.com/v1", "Guardrails", "guardrails"),
  serviceMonitors: resource("monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors"),
  prometheusRules: resource("monitoring.coreos.com/v1", "PrometheusRule", "prometheusrules"),
  prometheuses: resource("monitoring.coreos.com/v1", "Prometheus", "prometheuses"),
  httpRoutes: resource("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes"),
  certificates: resource("cert-manager.io/v1", "Certificate", "certificates"),
  dnsEndpoints: resource("externaldns.k8s.io/v1alpha1", "DNSEndpoint", "dnsendpoints"),
  peerAuthentications: resource("security.istio.io/v1", "PeerAuthentication", "peerauthentications"),
  externalSecrets: resource("external-secrets.io/v1", "ExternalSecret", "externalsecrets"),
  pushSecrets: resource("external-secrets.io/v1alpha1", "PushSecret", "pushsecrets"),
  clusterSecretStores: resource("external-secrets.io/v1", "ClusterSecretStore", "clustersecretstores", false),
  podMonitors: resource("monitoring.coreos.com/v1", "PodMonitor", "podmonitors"),
  postgresClusters: resource("postgresql.cnpg.io/v1", "Cluster", "clusters"),
  passwords: resource("generators.external-secrets.io/v1alpha1", "Password", "passwords"),
} as const satisfies Record<string, Resource>;

/**
 * The known resource an object belongs to.
 * @throws Error for a kind this table does not hold: add it above.
 */
export function resourceOf(object: { readonly apiVersion: string; readonly kind: string }): Resource {
  for (const candidate of Object.values(resources)) {
    if (candidate.kind === object.kind && apiVersionOf(candidate) === object.apiVersion) return candidate;
  }
  throw new Error(`no resource is known for ${object.apiVersion} ${object.kind}`);
}
