import { isIP } from "node:net";
import type { KubeObject, ObjectMeta } from "../../cluster/object.ts";
import { ports } from "../ports.ts";
import { isAlone, metadataIn, metadataOf, type Place, type Subject, selectorOf } from "./subject.ts";

/** Host name of a public service; where several share a namespace its name is in it, so that no two are the same. */
export function hostOf(subject: Pick<Subject, "name" | "namespace" | "standards">): string {
  const { name, namespace, standards } = subject;
  return isAlone(subject) ? `${name}.${standards.domain}` : `${name}.${namespace}.${standards.domain}`;
}

const strict = { mode: "STRICT" };

function authentication(metadata: ObjectMeta, spec: object): KubeObject {
  return { apiVersion: "security.istio.io/v1", kind: "PeerAuthentication", metadata, spec };
}

/** Strict mTLS for every pod of a managed namespace, where the standards have a mesh. */
export function meshMembership(place: Place): KubeObject[] {
  return place.standards.network.mesh === "istio"
    ? [authentication(metadataIn(place, "default"), { mtls: strict })]
    : [];
}

/** Prometheus is outside the mesh; who reaches this port at all is the network policies' decision. */
function scrapedFromOutside(subject: Subject): KubeObject[] {
  if (subject.standards.network.mesh !== "istio" || !subject.spec.monitoring.enabled) return [];
  return [
    authentication(metadataOf(subject, "network", `${subject.name}-metrics`), {
      selector: { matchLabels: selectorOf(subject, "workload") },
      mtls: strict,
      portLevelMtls: { [String(ports.metrics.number)]: { mode: "PERMISSIVE" } },
    }),
  ];
}

function route(subject: Subject): KubeObject {
  const { namespace, name } = subject.standards.network.gateway;
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: metadataOf(subject, "network", subject.name),
    spec: {
      parentRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", namespace, name }],
      hostnames: [hostOf(subject)],
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: "/" } }],
          backendRefs: [
            { group: "", kind: "Service", name: subject.name, port: ports.service.number, weight: 1 },
          ],
        },
      ],
    },
  };
}

function certificate(subject: Subject): KubeObject {
  return {
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    metadata: metadataOf(subject, "network", subject.name),
    spec: {
      secretName: `${subject.name}-tls`,
      dnsNames: [hostOf(subject)],
      usages: ["digital signature", "key encipherment", "server auth"],
      privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
      issuerRef: { group: "cert-manager.io", kind: "ClusterIssuer", name: subject.standards.network.issuer },
    },
  };
}

function dnsName(subject: Subject): KubeObject {
  const { network, domain } = subject.standards;
  const target = network.target ?? `gateway.${domain}`;
  const recordType = { 0: "CNAME", 4: "A", 6: "AAAA" }[isIP(target)] ?? "CNAME";
  return {
    apiVersion: "externaldns.k8s.io/v1alpha1",
    kind: "DNSEndpoint",
    metadata: metadataOf(subject, "network", subject.name),
    spec: {
      endpoints: [{ dnsName: hostOf(subject), recordType, recordTTL: 300, targets: [target] }],
    },
  };
}

/** Scraping through the mesh; a route, a certificate and a DNS name for a public service. */
export function network(subject: Subject): KubeObject[] {
  return [
    ...scrapedFromOutside(subject),
    ...(subject.spec.exposure === "public" ? [route(subject), certificate(subject), dnsName(subject)] : []),
  ];
}
