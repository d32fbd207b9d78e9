import { z } from "zod";
import type { StoredObject } from "../api.ts";
import { type Settable, withCondition } from "./conditions.ts";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { conditionsStatusShape, typed } from "./shapes.ts";
import { nowText, type Simulation } from "./simulation.ts";

const routes = "gateway.networking.k8s.io/httproutes";
const gateways = "gateway.networking.k8s.io/gateways";
const endpoints = "externaldns.k8s.io/dnsendpoints";
const controllerName = "sandbox.platform.company.com/gateway";

const backend = z.looseObject({
  name: z.string(),
  namespace: z.string().optional(),
  kind: z.string().default("Service"),
});
const parent = z.looseObject({
  name: z.string(),
  namespace: z.string().optional(),
  kind: z.string().default("Gateway"),
});
const routeSpec = z.looseObject({
  parentRefs: z.array(parent).default([]),
  rules: z.array(z.looseObject({ backendRefs: z.array(backend).default([]) })).default([]),
});
const routeStatus = z.looseObject({
  parents: z
    .array(z.looseObject({ parentRef: parent, conditions: conditionsStatusShape.shape.conditions }))
    .default([]),
});
const gatewaySpec = z.looseObject({
  listeners: z.array(z.looseObject({ name: z.string(), protocol: z.string().optional() })).default([]),
});

/** Accepts Gateways and HTTPRoutes as a gateway implementation would, and DNSEndpoints as external-dns does. */
export function gatewayController(simulation: Simulation): Controller {
  const { api } = simulation;

  function acceptGateway(stored: StoredObject): void {
    const gateway = typed(stored, gatewaySpec, conditionsStatusShape);
    const observedGeneration = gateway.metadata.generation ?? 1;
    const now = nowText(simulation);
    const met = (conditions: typeof gateway.status.conditions, type: string, message: string) =>
      withCondition(conditions, { type, status: "True", reason: type, message, observedGeneration }, now);
    const known = gateway.status.conditions;
    const attached = api
      .list(routes)
      .filter(({ spec, metadata }) =>
        routeSpec
          .parse(spec ?? {})
          .parentRefs.some(
            ({ name, namespace }) =>
              name === gateway.metadata.name &&
              (namespace ?? metadata.namespace) === gateway.metadata.namespace,
          ),
      ).length;
    const accepted = met(known, "Accepted", "Gateway accepted by the simulated controller");
    api.updateStatus(gateways, {
      ...stored,
      status: {
        addresses: [{ type: "IPAddress", value: "172.18.255.1" }],
        conditions: met(accepted, "Programmed", "Address assigned"),
        listeners: gateway.spec.listeners.map(({ name }) => ({
          name,
          attachedRoutes: attached,
          supportedKinds: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute" }],
          conditions: met([], "Accepted", "Listener accepted").map((condition) => ({
            ...condition,
            lastTransitionTime: gateway.metadata.creationTimestamp,
          })),
        })),
      },
    });
  }

  function acceptRoute(stored: StoredObject): void {
    const route = typed(stored, routeSpec, routeStatus);
    const observedGeneration = route.metadata.generation ?? 1;
    const now = nowText(simulation);
    const unknown = route.spec.rules
      .flatMap(({ backendRefs }) => backendRefs)
      .find(
        ({ kind, name, namespace }) =>
          kind === "Service" &&
          api.get("/services", namespace ?? route.metadata.namespace, name) === undefined,
      );
    const resolved: Settable =
      unknown === undefined
        ? { type: "ResolvedRefs", status: "True", reason: "ResolvedRefs", message: "All references resolved" }
        : {
            type: "ResolvedRefs",
            status: "False",
            reason: "BackendNotFound",
            message: `Service "${unknown.name}" not found`,
          };
    const parents = route.spec.parentRefs.map((parentRef) => {
      const namespace = parentRef.namespace ?? route.metadata.namespace;
      const exists = api.get(gateways, namespace, parentRef.name) !== undefined;
      const accepted: Settable = exists
        ? { type: "Accepted", status: "True", reason: "Accepted", message: "Route is accepted" }
        : {
            type: "Accepted",
            status: "False",
            reason: "NoMatchingParent",
            message: `Gateway "${namespace ?? ""}/${parentRef.name}" not found`,
          };
      const known =
        route.status.parents.find(({ parentRef: other }) => other.name === parentRef.name)?.conditions ?? [];
      const conditions = withCondition(
        withCondition(known, { ...accepted, observedGeneration }, now),
        { ...resolved, observedGeneration },
        now,
      );
      return { parentRef, controllerName, conditions };
    });
    api.updateStatus(routes, { ...stored, status: { parents } });
  }

  return {
    name: "gateways",
    resources: [gateways, routes, endpoints, "/services"],
    *concerns({ type, resource, object }) {
      if (resource === routes) {
        if (type !== "DELETED") yield `${routes} ${keyOf(object)}`;
        for (const gateway of api.list(gateways)) yield `${gateways} ${keyOf(gateway)}`;
      } else if (resource === gateways) {
        if (type !== "DELETED") yield `${gateways} ${keyOf(object)}`;
        if (type !== "MODIFIED") {
          for (const route of api.list(routes)) yield `${routes} ${keyOf(route)}`;
        }
      } else if (resource === endpoints) {
        if (type !== "DELETED") yield `${endpoints} ${keyOf(object)}`;
      } else if (resource === "/services" && type !== "MODIFIED") {
        for (const route of api.list(routes)) {
          if (route.metadata.namespace === object.metadata.namespace) yield `${routes} ${keyOf(route)}`;
        }
      }
    },
    reconcile(key) {
      const [resource = "", rest = ""] = key.split(" ");
      const { namespace, name } = parseKey(rest);
      const stored = api.get(resource, namespace, name);
      if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
      if (resource === gateways) acceptGateway(stored);
      else if (resource === routes) acceptRoute(stored);
      else {
        const observedGeneration = stored.metadata.generation ?? 1;
        api.updateStatus(endpoints, { ...stored, status: { observedGeneration } });
      }
      return undefined;
    },
  };
}
