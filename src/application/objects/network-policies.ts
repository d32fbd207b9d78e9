import type { KubeObject, ObjectMeta } from "../../cluster/object.ts";
import { peersOf } from "../external-store.ts";
import { labels } from "../names.ts";
import { googlePeers } from "../peers.ts";
import { ports } from "../ports.ts";
import { podsOfCluster } from "../postgres-cluster.ts";
import { externalOf, isAtGoogle, isInCluster, providerOf } from "../store-provider.ts";
import { isAlone, metadataIn, metadataOf, type Place, type Subject, selectorOf } from "./subject.ts";

type DataStoreComponent = "database" | "cache";

function networkPolicy(metadata: ObjectMeta, spec: object): KubeObject {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
}

/** A policy of one service. Beside others its name is `<policy>.<service>`: a service's name has no dot. */
function policy(subject: Subject, name: string, spec: object): KubeObject {
  const full = isAlone(subject) ? name : `${name}.${subject.name}`;
  return networkPolicy(metadataOf(subject, "namespace", full), spec);
}

/** A policy of every pod of the namespace. */
function policyOfAll(place: Place, name: string, spec: object): KubeObject {
  return networkPolicy(metadataIn(place, name), { podSelector: {}, ...spec });
}

/** A peer: every pod of a namespace. The label is the one that the API server itself sets. */
function everyPodOf(namespace: string) {
  return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } };
}

const tcp = (port: number | string) => ({ protocol: "TCP", port });

/** Nothing goes in or out, for every pod of the namespace. */
function denyAll(place: Place): KubeObject {
  return policyOfAll(place, "deny-all", { policyTypes: ["Ingress", "Egress"] });
}

function dns(place: Place): KubeObject {
  return policyOfAll(place, "dns", {
    policyTypes: ["Egress"],
    egress: [{ to: [everyPodOf("kube-system")], ports: [{ protocol: "UDP", port: 53 }, tcp(53)] }],
  });
}

function scraping(subject: Subject): KubeObject {
  return policy(subject, "scraping", {
    podSelector: { matchLabels: selectorOf(subject, "workload") },
    policyTypes: ["Ingress"],
    ingress: [
      { from: [everyPodOf(subject.standards.monitoring.namespace)], ports: [tcp(ports.metrics.name)] },
    ],
  });
}

/** The service's own pods: its workload, and what migrates its database where it has that. */
function ownPods(subject: Subject) {
  if (subject.spec.migrations === undefined) return { matchLabels: selectorOf(subject, "workload") };
  return {
    matchLabels: { [labels.service]: subject.name },
    matchExpressions: [{ key: labels.component, operator: "In", values: ["workload", "migration"] }],
  };
}

function telemetry(subject: Subject): KubeObject {
  const { namespace, port } = subject.standards.monitoring.telemetry;
  return policy(subject, "telemetry", {
    podSelector: ownPods(subject),
    policyTypes: ["Egress"],
    egress: [{ to: [everyPodOf(namespace)], ports: [tcp(port)] }],
  });
}

/** Who may send the service requests: other services, and for a public one the gateway too. */
function requests(subject: Subject): KubeObject {
  const others = { namespaceSelector: { matchLabels: { [labels.managed]: "true" } } };
  const gateway =
    subject.spec.exposure === "public" ? [everyPodOf(subject.standards.network.gateway.namespace)] : [];
  return policy(subject, "requests", {
    podSelector: { matchLabels: selectorOf(subject, "workload") },
    policyTypes: ["Ingress"],
    ingress: [{ from: [others, ...gateway], ports: [tcp(ports.http.name)] }],
  });
}

/** The service may call other services: their workloads, never their data stores. */
function calls(subject: Subject): KubeObject {
  return policy(subject, "calls", {
    podSelector: { matchLabels: selectorOf(subject, "workload") },
    policyTypes: ["Egress"],
    egress: [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { [labels.managed]: "true" } },
            podSelector: { matchLabels: { [labels.component]: "workload" } },
          },
        ],
        ports: [tcp(ports.http.number)],
      },
    ],
  });
}

/** A data store is reached by the service's own pods and by nothing else. */
function dataStore(subject: Subject, component: DataStoreComponent, port: number): KubeObject[] {
  const own = { podSelector: ownPods(subject) };
  const store = { podSelector: { matchLabels: selectorOf(subject, component) } };
  return [
    policy(subject, component, {
      ...store,
      policyTypes: ["Ingress"],
      ingress: [{ from: [own], ports: [tcp(port)] }],
    }),
    policy(subject, `to-${component}`, {
      ...own,
      policyTypes: ["Egress"],
      egress: [{ to: [store], ports: [tcp(port)] }],
    }),
  ];
}

/** A data store outside of the cluster: only the addresses that the standards name, on its port. */
function cloudStore(subject: Subject, component: DataStoreComponent, port: number): KubeObject[] {
  const to = googlePeers(subject.standards);
  if (to.length === 0) return [];
  return [
    policy(subject, `to-${component}`, {
      podSelector: ownPods(subject),
      policyTypes: ["Egress"],
      egress: [{ to, ports: [tcp(port)] }],
    }),
  ];
}

/** A database that CloudNativePG runs: its pods, in their namespace; what lets them in is made with them. */
function postgresCluster(subject: Subject): KubeObject[] {
  return [
    policy(subject, "to-database", {
      podSelector: ownPods(subject),
      policyTypes: ["Egress"],
      egress: [{ to: [podsOfCluster(subject)], ports: [tcp(ports.postgres.number)] }],
    }),
  ];
}

/** A data store that is not the platform's: to where it is, as far as the standards allow and a policy can say it. */
function externalStore(subject: Subject, component: DataStoreComponent): KubeObject[] {
  const external = externalOf(subject.spec, component);
  const to = external === undefined ? [] : peersOf(external, subject.standards);
  if (external === undefined || to.length === 0) return [];
  return [
    policy(subject, `to-${component}`, {
      podSelector: ownPods(subject),
      policyTypes: ["Egress"],
      egress: [{ to, ports: [tcp(external.port)] }],
    }),
  ];
}

/** Sidecars get their configuration and certificates from istiod (15012, TLS). */
function mesh(place: Place): KubeObject {
  return policyOfAll(place, "mesh", {
    policyTypes: ["Egress"],
    egress: [{ to: [everyPodOf("istio-system")], ports: [tcp(15012)] }],
  });
}

/** What holds for every pod of a managed namespace: closed by default, then names and the mesh. */
export function namespacePolicies(place: Place): KubeObject[] {
  return [denyAll(place), dns(place), ...(place.standards.network.mesh === "istio" ? [mesh(place)] : [])];
}

/** Exactly the paths that a service needs. */
export function servicePolicies(subject: Subject): KubeObject[] {
  const { spec } = subject;
  return [
    telemetry(subject),
    calls(subject),
    ...(spec.exposure === "none" ? [] : [requests(subject)]),
    ...(spec.monitoring.enabled ? [scraping(subject)] : []),
    ...(isInCluster(spec, "database") ? dataStore(subject, "database", ports.postgres.number) : []),
    ...(isAtGoogle(spec, "database") ? cloudStore(subject, "database", ports.postgres.number) : []),
    ...(providerOf(spec, "database") === "cloudnative-pg" ? postgresCluster(subject) : []),
    ...externalStore(subject, "database"),
    ...(isInCluster(spec, "cache") ? dataStore(subject, "cache", ports.redis.number) : []),
    ...(isAtGoogle(spec, "cache") ? cloudStore(subject, "cache", ports.redisTls.number) : []),
    ...externalStore(subject, "cache"),
  ];
}
