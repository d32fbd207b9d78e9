import type { KubeObject } from "../../cluster/object.ts";
import { labelsOf, metadataOf, type Subject } from "./subject.ts";

const podSecurity = Object.fromEntries(
  ["enforce", "audit", "warn"].flatMap((mode) => [
    [`pod-security.kubernetes.io/${mode}`, "restricted"],
    [`pod-security.kubernetes.io/${mode}-version`, "latest"],
  ]),
);

/** The service's namespace: Pod Security at `restricted`, and in the mesh where the standards have one. */
export function namespace(subject: Subject): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: subject.namespace,
      labels: {
        ...labelsOf(subject, "namespace"),
        ...podSecurity,
        ...(subject.standards.network.mesh === "istio" ? { "istio-injection": "enabled" } : {}),
      },
    },
  };
}

/** Requests and limits for containers that bring none: without them the quota would refuse their pods. */
export function limitRange(subject: Subject): KubeObject {
  const { requests, limits } = subject.standards.workload.resources;
  return {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: metadataOf(subject, "namespace", "defaults"),
    spec: { limits: [{ type: "Container", default: limits, defaultRequest: requests }] },
  };
}

/** What the service may use at most; ways out of the cluster that go round the gateway are not among it. */
export function resourceQuota(subject: Subject): KubeObject {
  const { cpu, memory, pods, storage } = subject.standards.quota;
  return {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: metadataOf(subject, "namespace", "quota"),
    spec: {
      hard: {
        "requests.cpu": cpu,
        "requests.memory": memory,
        "limits.memory": memory,
        "requests.storage": storage,
        pods: String(pods),
        "services.loadbalancers": "0",
        "services.nodeports": "0",
      },
    },
  };
}

/** The workload's identity. It has no token: a service that needs the Kubernetes API asks for one. */
export function serviceAccount(subject: Subject): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: metadataOf(subject, "namespace", subject.name),
    automountServiceAccountToken: false,
  };
}
