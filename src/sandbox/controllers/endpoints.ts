import type { StoredObject } from "../api.ts";
import { takes } from "./label-selector.ts";
import type { Controller } from "./loop.ts";
import { childName, hash } from "./names.ts";
import { controlledBy, isReady } from "./pods.ts";
import {
  conditionsStatusShape,
  type Pod,
  readPod,
  type ServiceSpec,
  serviceSpecShape,
  typed,
} from "./shapes.ts";
import type { Simulation } from "./simulation.ts";

const slices = "discovery.k8s.io/endpointslices";

/** The number of a Service port's target in a pod; undefined when the pod names no such port. */
export function targetPort(port: ServiceSpec["ports"][number], pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === "number") return target;
  for (const container of pod.spec.containers) {
    const named = container.ports.find((candidate) => candidate.name === target);
    if (named !== undefined) return named.containerPort;
  }
  return undefined;
}

/** The pods behind a Service that have an address. */
export function podsBehind(spec: ServiceSpec, pods: readonly Pod[]): Pod[] {
  return pods.filter(
    (pod) =>
      pod.status.podIP !== undefined &&
      pod.status.phase !== "Succeeded" &&
      pod.status.phase !== "Failed" &&
      takes(spec.selector, pod.metadata.labels),
  );
}

/** Keeps one EndpointSlice for each Service with a selector. Its key is a namespace. */
export function endpointsController(simulation: Simulation): Controller {
  const { api } = simulation;

  function sliceOf(service: StoredObject, spec: ServiceSpec, pods: readonly Pod[]): Record<string, unknown> {
    const behind = podsBehind(spec, pods);
    const first = behind[0];
    return {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: sliceName(service),
        namespace: service.metadata.namespace,
        labels: {
          ...service.metadata.labels,
          "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
          "kubernetes.io/service-name": service.metadata.name,
        },
        ownerReferences: [controlledBy(service)],
      },
      addressType: "IPv4",
      endpoints: behind.map((pod) => {
        const terminating = pod.metadata.deletionTimestamp !== undefined;
        return {
          addresses: [pod.status.podIP],
          conditions: {
            ready: spec.publishNotReadyAddresses === true || (isReady(pod) && !terminating),
            serving: isReady(pod),
            terminating,
          },
          nodeName: pod.spec.nodeName,
          targetRef: {
            kind: "Pod",
            name: pod.metadata.name,
            namespace: pod.metadata.namespace,
            uid: pod.metadata.uid,
          },
        };
      }),
      ports:
        first === undefined
          ? []
          : spec.ports.flatMap((port) => {
              const number = targetPort(port, first);
              if (number === undefined) return [];
              return [{ name: port.name ?? "", port: number, protocol: port.protocol }];
            }),
    };
  }

  return {
    name: "endpoints",
    resources: ["/services", "/pods"],
    *concerns({ resource, object }) {
      if (resource === "/services" || resource === "/pods") yield object.metadata.namespace ?? "";
    },
    reconcile(namespace) {
      const services = api.list("/services", { namespace });
      if (services.length === 0) return undefined;
      const pods = api.list("/pods", { namespace }).map(readPod);
      for (const service of services) {
        const { spec } = typed(service, serviceSpecShape, conditionsStatusShape);
        if (service.metadata.deletionTimestamp !== undefined || !spec.selector) continue;
        const wanted = sliceOf(service, spec, pods);
        const known = api.get(slices, namespace, sliceName(service));
        if (known === undefined) api.create(slices, wanted);
        else if (known.metadata.deletionTimestamp === undefined) {
          api.update(slices, { ...known, endpoints: wanted.endpoints, ports: wanted.ports });
        }
      }
      return undefined;
    },
  };
}

function sliceName(service: StoredObject): string {
  return childName(service.metadata.name, hash(service.metadata.uid).toString(36).slice(-5));
}
