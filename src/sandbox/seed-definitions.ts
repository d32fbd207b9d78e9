/** What a seeded CRD serves. Its schema is permissive: the sandbox stores what the real controllers would judge. */
interface Definition {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly columns?: readonly { readonly name: string; readonly jsonPath: string }[];
  readonly scope?: "Namespaced" | "Cluster";
  /** Fields beside spec and status. */
  readonly fields?: Readonly<Record<string, object>>;
}

const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

const definitions: readonly Definition[] = [
  {
    group: "monitoring.coreos.com",
    version: "v1",
    kind: "ServiceMonitor",
    plural: "servicemonitors",
    shortNames: ["smon"],
  },
  {
    group: "monitoring.coreos.com",
    version: "v1",
    kind: "PrometheusRule",
    plural: "prometheusrules",
    shortNames: ["promrule"],
  },
  {
    group: "monitoring.coreos.com",
    version: "v1",
    kind: "Prometheus",
    plural: "prometheuses",
    shortNames: ["prom"],
    columns: [{ name: "Desired", jsonPath: ".spec.replicas" }],
  },
  {
    group: "gateway.networking.k8s.io",
    version: "v1",
    kind: "HTTPRoute",
    plural: "httproutes",
    columns: [{ name: "Hostnames", jsonPath: ".spec.hostnames" }],
  },
  {
    group: "gateway.networking.k8s.io",
    version: "v1",
    kind: "Gateway",
    plural: "gateways",
    shortNames: ["gtw"],
    columns: [
      { name: "Class", jsonPath: ".spec.gatewayClassName" },
      { name: "Address", jsonPath: ".status.addresses[*].value" },
      { name: "Programmed", jsonPath: '.status.conditions[?(@.type=="Programmed")].status' },
    ],
  },
  {
    group: "cert-manager.io",
    version: "v1",
    kind: "Certificate",
    plural: "certificates",
    shortNames: ["cert", "certs"],
    columns: [
      { name: "Ready", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      { name: "Secret", jsonPath: ".spec.secretName" },
    ],
  },
  {
    group: "externaldns.k8s.io",
    version: "v1alpha1",
    kind: "DNSEndpoint",
    plural: "dnsendpoints",
  },
  {
    group: "security.istio.io",
    version: "v1",
    kind: "PeerAuthentication",
    plural: "peerauthentications",
    shortNames: ["pa"],
    columns: [{ name: "Mode", jsonPath: ".spec.mtls.mode" }],
  },
  {
    group: "external-secrets.io",
    version: "v1",
    kind: "ExternalSecret",
    plural: "externalsecrets",
    shortNames: ["es"],
    columns: [{ name: "Ready", jsonPath: '.status.conditions[?(@.type=="Ready")].status' }],
  },
  {
    group: "external-secrets.io",
    version: "v1alpha1",
    kind: "PushSecret",
    plural: "pushsecrets",
    shortNames: ["ps"],
    columns: [{ name: "Status", jsonPath: '.status.conditions[?(@.type=="Ready")].reason' }],
  },
  {
    group: "external-secrets.io",
    version: "v1",
    kind: "ClusterSecretStore",
    plural: "clustersecretstores",
    shortNames: ["css"],
    scope: "Cluster",
    columns: [{ name: "Status", jsonPath: '.status.conditions[?(@.type=="Ready")].reason' }],
  },
  {
    group: "generators.external-secrets.io",
    version: "v1alpha1",
    kind: "Password",
    plural: "passwords",
  },
  {
    group: "snapshot.storage.k8s.io",
    version: "v1",
    kind: "VolumeSnapshot",
    plural: "volumesnapshots",
    shortNames: ["vs"],
    columns: [
      { name: "SourcePVC", jsonPath: ".spec.source.persistentVolumeClaimName" },
      { name: "SnapshotContent", jsonPath: ".status.boundVolumeSnapshotContentName" },
    ],
  },
  {
    group: "snapshot.storage.k8s.io",
    version: "v1",
    kind: "VolumeSnapshotContent",
    plural: "volumesnapshotcontents",
    shortNames: ["vsc"],
    scope: "Cluster",
    columns: [
      { name: "DeletionPolicy", jsonPath: ".spec.deletionPolicy" },
      { name: "VolumeSnapshot", jsonPath: ".spec.volumeSnapshotRef.name" },
    ],
  },
  {
    group: "snapshot.storage.k8s.io",
    version: "v1",
    kind: "VolumeSnapshotClass",
    plural: "volumesnapshotclasses",
    shortNames: ["vsclass"],
    scope: "Cluster",
    columns: [
      { name: "Driver", jsonPath: ".driver" },
      { name: "DeletionPolicy", jsonPath: ".deletionPolicy" },
    ],
    fields: { driver: { type: "string" }, deletionPolicy: { type: "string" }, parameters: open },
  },
];

const cloudNativePg: Definition = {
  group: "postgresql.cnpg.io",
  version: "v1",
  kind: "Cluster",
  plural: "clusters",
  columns: [
    { name: "Instances", jsonPath: ".spec.instances" },
    { name: "Status", jsonPath: ".status.phase" },
  ],
};

/** The CustomResourceDefinitions of everything a service is integrated with, in the sandbox's own minimal form. */
export function seedDefinitions() {
  return definitions.map(definitionOf);
}

/** That of CloudNativePG, which is there only where the standards have it. */
export function seedCloudNativePg() {
  return definitionOf(cloudNativePg);
}

function definitionOf({
  group,
  version,
  kind,
  plural,
  shortNames = [],
  columns = [],
  scope,
  fields = {},
}: Definition) {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}`, annotations: annotationsOf(group) },
    spec: {
      group,
      scope: scope ?? "Namespaced",
      names: {
        kind,
        plural,
        singular: kind.toLowerCase(),
        listKind: `${kind}List`,
        ...(shortNames.length > 0 ? { shortNames: [...shortNames] } : {}),
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: "object",
              description: `${kind}, simulated by the sandbox`,
              properties: { spec: open, status: open, ...fields },
            },
          },
          subresources: { status: {} },
          additionalPrinterColumns: [
            ...columns.map((column) => ({ ...column, type: "string" })),
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          ],
        },
      ],
    },
  };
}

/** The API server insists on this for groups under k8s.io. */
function annotationsOf(group: string): Record<string, string> {
  return group.endsWith(".k8s.io") || group === "k8s.io"
    ? { "api-approved.kubernetes.io": "unapproved, simulated by the sandbox" }
    : {};
}
