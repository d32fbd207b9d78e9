import { operatorName, systemNamespace } from "../application/names.ts";
import { restrictedContainer, restrictedPod } from "../application/objects/subject.ts";
import type { KubeObject } from "../cluster/object.ts";
import { installationLabels } from "../provisioning/installation.ts";
import type { Standards } from "../standards/standards.ts";
import { versionLabel } from "./namespace.ts";

/** What the operator's manifests are made from. */
export interface OperatorOptions {
  readonly standards: Standards;
  readonly image: string;
  readonly version?: string;
}

/** Ports of the operator's pods. */
const ports = { metrics: 8080, health: 8081 } as const;

/**
 * What Node is told: most of what is read is looked at once and let go, so a large space for young objects only takes
 * memory (in MiB; Node's own default is 16).
 */
export const nodeOptions = "--max-semi-space-size=4";

/** User `nonroot` of the image. */
const user = 65_532;

const selector = { "app.kubernetes.io/name": operatorName };

function metadata(name: string): KubeObject["metadata"] {
  return { name, namespace: systemNamespace, labels: { ...selector, ...installationLabels } };
}

/** Who the operator is to the cluster: it is there without an operator too, so that rights can be bound to it. */
export function operatorAccount(): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: metadata(operatorName),
    automountServiceAccountToken: false,
  };
}

/** Nothing goes in or out of `platform-system`, but for what the operator needs. */
export function systemPolicies(standards: Standards): readonly KubeObject[] {
  const tcp = (port: number) => ({ protocol: "TCP", port });
  const policy = (name: string, spec: object): KubeObject => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(name),
    spec,
  });
  return [
    policy("deny-all", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
    policy(operatorName, {
      podSelector: { matchLabels: selector },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          from: [
            {
              namespaceSelector: {
                matchLabels: { "kubernetes.io/metadata.name": standards.monitoring.namespace },
              },
            },
          ],
          ports: [tcp(ports.metrics)],
        },
      ],
      egress: [
        {
          to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
          ports: [{ protocol: "UDP", port: 53 }, tcp(53)],
        },
        // The API server and the code host are outside of the cluster's pods: no selector names them.
        { ports: [443, 6443, ...codeHostPorts(standards)].map(tcp) },
        ...(standards.google === undefined ? [] : metadataServer),
      ],
    }),
  ];
}

/** Where GKE gives a pod Google's credentials for its ServiceAccount; the second is where its own agent listens. */
const metadataServer = [
  { to: [{ ipBlock: { cidr: "169.254.169.254/32" } }], ports: [{ protocol: "TCP", port: 80 }] },
  { to: [{ ipBlock: { cidr: "169.254.169.252/32" } }], ports: [{ protocol: "TCP", port: 988 }] },
];

/** Ports of the code host that every policy does not have already. */
function codeHostPorts({ delivery: { host } }: Standards): readonly number[] {
  if (host === undefined || !URL.canParse(host)) return [];
  const { protocol, port } = new URL(host);
  if (port !== "") return [Number(port)].filter((number) => number !== 443 && number !== 6443);
  return protocol === "ssh:" ? [22] : [];
}

function podField(name: string, fieldPath: string) {
  return { name, valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } } };
}

function deployment({ image, version, standards }: OperatorOptions): KubeObject {
  const withTerraform = standards.google !== undefined;
  const probe = (path: string, periodSeconds: number, failureThreshold: number) => ({
    httpGet: { path, port: "health", scheme: "HTTP" },
    timeoutSeconds: 2,
    periodSeconds,
    failureThreshold,
  });
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      ...metadata(operatorName),
      labels: {
        ...metadata(operatorName).labels,
        ...(version === undefined ? {} : { [versionLabel]: version }),
      },
    },
    spec: {
      // One works, the other takes over within the Lease.
      replicas: 2,
      revisionHistoryLimit: 5,
      progressDeadlineSeconds: standards.workload.progressDeadlineSeconds,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: { ...selector, ...installationLabels } },
        spec: {
          serviceAccountName: operatorName,
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          // Terraform gets a minute to stop in good order, and its run some more to say so.
          terminationGracePeriodSeconds: 120,
          securityContext: restrictedPod(user),
          topologySpreadConstraints: ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map(
            (topologyKey) => ({
              topologyKey,
              maxSkew: 1,
              whenUnsatisfiable: "ScheduleAnyway",
              labelSelector: { matchLabels: selector },
            }),
          ),
          containers: [
            {
              name: "operator",
              image,
              args: [
                "operator",
                "--host",
                "0.0.0.0",
                "--metrics-port",
                String(ports.metrics),
                "--health-port",
                String(ports.health),
              ],
              ports: [
                { name: "metrics", containerPort: ports.metrics, protocol: "TCP" },
                { name: "health", containerPort: ports.health, protocol: "TCP" },
              ],
              env: [
                { name: "NODE_OPTIONS", value: nodeOptions },
                { name: "HOME", value: "/tmp" },
                { name: "TMPDIR", value: "/tmp" },
                { name: "PLATFORM_STATE_DIR", value: "/tmp/platform" },
                // Whose a lock of Terraform's is, for whoever meets it once this pod is gone.
                podField("POD_NAME", "metadata.name"),
                podField("POD_NAMESPACE", "metadata.namespace"),
                podField("POD_UID", "metadata.uid"),
              ],
              resources: {
                requests: { cpu: "100m", memory: "256Mi" },
                limits: { cpu: "2", memory: withTerraform ? "3Gi" : "1Gi" },
              },
              securityContext: restrictedContainer,
              startupProbe: probe("/healthz", 2, 30),
              livenessProbe: probe("/healthz", 10, 3),
              readinessProbe: probe("/readyz", 5, 2),
              volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
            },
          ],
          // Clones of repositories, while a run writes to them; and Google's provider, a copy for each data store in hand.
          volumes: [{ name: "tmp", emptyDir: { sizeLimit: withTerraform ? "8Gi" : "1Gi" } }],
        },
      },
    },
  };
}

/** The operator itself: what runs it, keeps one of it alive, and lets it be measured. */
export function operatorObjects(options: OperatorOptions): readonly KubeObject[] {
  return [
    deployment(options),
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: metadata(operatorName),
      spec: { minAvailable: 1, selector: { matchLabels: selector } },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: metadata(operatorName),
      spec: {
        type: "ClusterIP",
        selector,
        ports: [{ name: "metrics", port: ports.metrics, targetPort: "metrics", protocol: "TCP" }],
      },
    },
    {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "ServiceMonitor",
      metadata: {
        ...metadata(operatorName),
        labels: { ...options.standards.monitoring.labels, ...metadata(operatorName).labels },
      },
      spec: {
        selector: { matchLabels: selector },
        endpoints: [{ port: "metrics", interval: "30s" }],
      },
    },
  ];
}
