import { exceptions } from "../pod-rules.ts";
import type { Guardrail } from "../policy.ts";
import { notThePlatformOrCluster } from "../principals.ts";

/** Ways into the cluster that go round the gateway, and names that lead out of it. */
export const services: Guardrail = {
  name: "services",
  reason:
    "Requests come in through the gateway; a Service opens no other way in, and takes no foreign address.",
  params: "guardrails",
  withoutParams: "changes pass",
  where: "managed",
  requests: [{ groups: [""], resources: ["services"], operations: ["CREATE", "UPDATE"] }],
  when: [
    {
      name: "created-or-changed",
      expression: "request.operation == 'CREATE' || object.spec != oldObject.spec",
    },
  ],
  variables: [exceptions],
  rules: [
    {
      expression: "'services' in variables.excepted || object.spec.?type.orValue('ClusterIP') == 'ClusterIP'",
      message:
        "services: a Service is of type ClusterIP; requests from outside come through the gateway (exposure: public)",
    },
    {
      expression: "'services' in variables.excepted || object.spec.?externalIPs.orValue([]).size() == 0",
      message: "services: a Service takes no external addresses",
    },
  ],
};

/** Host names are derived from the service's name: nobody takes another service's by writing a route. */
export const routes: Guardrail = {
  name: "routes",
  reason:
    "Routes, DNS names and certificates are derived from a service's name; nobody claims another's by hand.",
  params: "guardrails",
  withoutParams: "changes pass",
  where: "managed",
  requests: [
    { groups: ["networking.k8s.io"], resources: ["ingresses"], operations: ["CREATE", "UPDATE"] },
    {
      groups: ["gateway.networking.k8s.io"],
      resources: [
        "gateways",
        "httproutes",
        "grpcroutes",
        "tlsroutes",
        "tcproutes",
        "udproutes",
        "referencegrants",
      ],
      operations: ["CREATE", "UPDATE"],
    },
    { groups: ["externaldns.k8s.io"], resources: ["dnsendpoints"], operations: ["CREATE", "UPDATE"] },
    { groups: ["cert-manager.io"], resources: ["certificates", "issuers"], operations: ["CREATE", "UPDATE"] },
    {
      groups: ["networking.istio.io"],
      resources: [
        "virtualservices",
        "gateways",
        "serviceentries",
        "envoyfilters",
        "sidecars",
        "destinationrules",
      ],
      operations: ["CREATE", "UPDATE"],
    },
    {
      groups: ["security.istio.io"],
      resources: ["peerauthentications", "authorizationpolicies", "requestauthentications"],
      operations: ["CREATE", "UPDATE"],
    },
  ],
  when: [
    ...notThePlatformOrCluster,
    {
      name: "created-or-changed",
      expression: "request.operation == 'CREATE' || object.?spec != oldObject.?spec",
    },
  ],
  variables: [exceptions],
  rules: [
    {
      expression: "'routes' in variables.excepted",
      message:
        "routes: routes, names, certificates and mesh settings of a managed namespace are written by the platform alone",
    },
  ],
};
