import type { KubeObject } from "../../cluster/object.ts";
import { tierOf } from "../../standards/tier.ts";
import { labels, labelsFor } from "../names.ts";
import { metadataIn, metadataOf, type Place, type Subject } from "./subject.ts";

const podSecurity = Object.fromEntries(
  ["enforce", "audit", "warn"].flatMap((mode) => [
    [`pod-security.kubernetes.io/${mode}`, "restricted"],
    [`pod-security.kubernetes.io/${mode}-version`, "latest"],
  ]),
);

/** A managed namespace: Pod Security at `restricted`, and in the mesh where the standards have one. */
export function namespace({ namespace: name, service, team, tier, standards }: Place): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      labels: {
        ...labelsFor(service, team, "namespace"),
        [labels.tier]: tier,
        ...podSecurity,
        ...(standards.network.mesh === "istio" ? { "istio-injection": "enabled" } : {}),
      },
    },
  };
}

/** Requests and limits for containers that bring none: without them the quota would refuse their pods. */
export function limitRange(place: Place): KubeObject {
  const { requests, limits } = place.standards.workload.resources;
  return {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: metadataIn(place, "defaults"),
    spec: { limits: [{ type: "Container", default: limits, defaultRequest: requests }] },
  };
}

/** What the namespace may use at most, by its tier; ways out of the cluster that go round the gateway are not among it. */
export function resourceQuota(place: Place): KubeObject {
  const { cpu, memory, pods, storage } = tierOf(place.standards, place.tier).quota;
  return {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: metadataIn(place, "quota"),
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
