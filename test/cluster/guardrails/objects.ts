import type { KubeObject } from "../../../src/cluster/object.ts";

/** What an attempt changes of a container that keeps every rule. */
export interface Spoilt {
  readonly image?: string;
  readonly container?: Readonly<Record<string, unknown>>;
  readonly pod?: Readonly<Record<string, unknown>>;
  readonly labels?: Readonly<Record<string, string>>;
}

const probe = { httpGet: { path: "/", port: 8080 } };

/** A pod's spec that keeps every rule, but for what is spoilt. */
export function podSpec({ image = "gcr.io/company/tool:v1", container = {}, pod = {} }: Spoilt = {}) {
  return {
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "tool",
        image,
        resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "20m", memory: "32Mi" } },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
        readinessProbe: probe,
        livenessProbe: probe,
        ...container,
      },
    ],
    ...pod,
  };
}

/** What mounts an image into a pod. */
export function withVolumeOf(reference: string): Spoilt {
  return { pod: { volumes: [{ name: "mounted", image: { reference } }] } };
}

const paths = {
  Pod: "/api/v1/namespaces/NS/pods",
  ReplicationController: "/api/v1/namespaces/NS/replicationcontrollers",
  Deployment: "/apis/apps/v1/namespaces/NS/deployments",
  ReplicaSet: "/apis/apps/v1/namespaces/NS/replicasets",
  StatefulSet: "/apis/apps/v1/namespaces/NS/statefulsets",
  DaemonSet: "/apis/apps/v1/namespaces/NS/daemonsets",
  Job: "/apis/batch/v1/namespaces/NS/jobs",
  CronJob: "/apis/batch/v1/namespaces/NS/cronjobs",
};
export type WorkloadKind = keyof typeof paths;

/** Everything that makes pods. */
export const workloadKinds: readonly WorkloadKind[] = [
  "Pod",
  "ReplicationController",
  "Deployment",
  "ReplicaSet",
  "StatefulSet",
  "DaemonSet",
  "Job",
  "CronJob",
];

export function pathOf(kind: WorkloadKind, namespace: string): string {
  return paths[kind].replace("NS", namespace);
}

/** A workload of any kind around {@link podSpec}. */
export function workload(kind: WorkloadKind, name: string, spoilt: Spoilt = {}): KubeObject {
  const labels = { tool: name };
  const template = { metadata: { labels: { ...labels, ...spoilt.labels } }, spec: podSpec(spoilt) };
  const ending = { ...template, spec: { ...template.spec, restartPolicy: "Never" } };
  switch (kind) {
    case "Pod":
      return {
        apiVersion: "v1",
        kind,
        metadata: { name, labels: template.metadata.labels },
        spec: template.spec,
      };
    case "ReplicationController":
      return {
        apiVersion: "v1",
        kind,
        metadata: { name },
        spec: { replicas: 0, selector: labels, template },
      };
    case "Job":
      return { apiVersion: "batch/v1", kind, metadata: { name }, spec: { suspend: true, template: ending } };
    case "CronJob":
      return {
        apiVersion: "batch/v1",
        kind,
        metadata: { name },
        spec: { schedule: "0 0 1 1 *", jobTemplate: { spec: { template: ending } } },
      };
    case "DaemonSet":
      return {
        apiVersion: "apps/v1",
        kind,
        metadata: { name },
        spec: {
          selector: { matchLabels: labels },
          template: { ...template, spec: { ...template.spec, nodeSelector: { nowhere: "true" } } },
        },
      };
    default:
      return {
        apiVersion: "apps/v1",
        kind,
        metadata: { name },
        spec: {
          replicas: 0,
          selector: { matchLabels: labels },
          template,
          ...(kind === "StatefulSet" ? { serviceName: name } : {}),
        },
      };
  }
}
