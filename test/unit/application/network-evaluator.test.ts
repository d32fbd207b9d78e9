import { describe, expect, test } from "vitest";
import { desiredObjects } from "../../../src/application/desired-objects.ts";
import { applicationFor } from "../../../src/application/from-request.ts";
import {
  judgeConnection,
  type NetworkPod,
  type NetworkWorld,
} from "../../../src/application/network-evaluator.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const standards = standardsSchema.parse({ images: { starter: "registry.example.internal/starter:1" } });

function objectsOf(request: Record<string, unknown>): KubeObject[] {
  const parsed = serviceRequestSchema.parse({ language: "go", ...request });
  return Object.values(desiredObjects(applicationFor(parsed, standards), standards)).flat();
}

/** The pods that a service's own objects make, as their templates say. */
function podsOf(objects: readonly KubeObject[]): Record<string, NetworkPod> {
  const pods: Record<string, NetworkPod> = {};
  for (const { kind, metadata, spec } of objects) {
    if (kind !== "Deployment" && kind !== "StatefulSet") continue;
    const { template } = JSON.parse(JSON.stringify(spec));
    pods[metadata.name] = {
      namespace: metadata.namespace ?? "",
      labels: template.metadata.labels,
      ports: template.spec.containers.flatMap(
        (container: { ports: { name: string; containerPort: number }[] }) =>
          container.ports.map(({ name, containerPort }) => ({ name, number: containerPort })),
      ),
    };
  }
  return pods;
}

const ledger = objectsOf({ name: "ledger", exposure: "public", database: "postgres", cache: "redis" });
const search = objectsOf({ name: "search", exposure: "internal", database: "postgres" });
const worker = objectsOf({ name: "worker", exposure: "none" });
const all = [...ledger, ...search, ...worker];
const world: NetworkWorld = {
  policies: all.filter((object) => object.kind === "NetworkPolicy"),
  namespaces: Object.fromEntries([
    ...all
      .filter(({ kind }) => kind === "Namespace")
      .map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
    // Pretends to be the monitoring namespace by a label that anyone can set.
    ["impostor", { name: "kube-system", "app.kubernetes.io/name": "monitoring" }],
  ]),
};
const pods = podsOf(all);

function pod(name: string): { pod: NetworkPod } {
  const found = pods[name];
  if (found === undefined) throw new Error(`no pod ${name}`);
  return { pod: found };
}
const inNamespace = (namespace: string, labels: Record<string, string> = {}) => ({
  pod: { namespace, labels },
});
const internet = { ip: "203.0.113.9" };

const paths = [
  // what a full service needs
  ["DNS over UDP", pod("ledger"), inNamespace("kube-system"), 53, "UDP", true],
  ["DNS over TCP", pod("ledger-db"), inNamespace("kube-system"), 53, "TCP", true],
  ["the service to its database", pod("ledger"), pod("ledger-db"), 5432, "TCP", true],
  ["the service to its cache", pod("ledger"), pod("ledger-cache"), 6379, "TCP", true],
  ["traces", pod("ledger"), inNamespace("observability"), 4317, "TCP", true],
  ["scraping", inNamespace("monitoring"), pod("ledger"), 9090, "TCP", true],
  ["scraping a service that takes no requests", inNamespace("monitoring"), pod("worker"), 9090, "TCP", true],
  ["the gateway to a public service", inNamespace("gateway"), pod("ledger"), 8080, "TCP", true],
  ["another service to an internal one", pod("ledger"), pod("search"), 8080, "TCP", true],
  ["a worker to an internal service", pod("worker"), pod("search"), 8080, "TCP", true],
  ["the mesh's control plane", pod("ledger-db"), inNamespace("istio-system"), 15012, "TCP", true],
  // and nothing else
  ["the internet", pod("ledger"), internet, 443, "TCP", false],
  ["the internet, coming in", internet, pod("ledger"), 8080, "TCP", false],
  ["kube-system other than DNS", pod("ledger"), inNamespace("kube-system"), 443, "TCP", false],
  ["a namespace that calls itself kube-system", pod("ledger"), inNamespace("impostor"), 53, "UDP", false],
  ["another service to a database", pod("search"), pod("ledger-db"), 5432, "TCP", false],
  ["one data store to the other", pod("ledger-cache"), pod("ledger-db"), 5432, "TCP", false],
  ["a data store to the service", pod("ledger-db"), pod("ledger"), 8080, "TCP", false],
  ["a data store to traces", pod("ledger-db"), inNamespace("observability"), 4317, "TCP", false],
  ["monitoring to a database", inNamespace("monitoring"), pod("ledger-db"), 5432, "TCP", false],
  ["monitoring to the requests' port", inNamespace("monitoring"), pod("ledger"), 8080, "TCP", false],
  ["the gateway to an internal service", inNamespace("gateway"), pod("search"), 8080, "TCP", false],
  ["the gateway to the metrics", inNamespace("gateway"), pod("ledger"), 9090, "TCP", false],
  ["a service to another's metrics", pod("search"), pod("ledger"), 9090, "TCP", false],
  ["a service to one that takes no requests", pod("ledger"), pod("worker"), 8080, "TCP", false],
  ["an unmanaged namespace to a service", inNamespace("default"), pod("search"), 8080, "TCP", false],
  [
    "a stranger in the service's own namespace to its database",
    inNamespace("app-ledger", { app: "x" }),
    pod("ledger-db"),
    5432,
    "TCP",
    false,
  ],
  ["the wrong port of a database", pod("ledger"), pod("ledger-db"), 22, "TCP", false],
] as const;

describe("paths of a service", () => {
  test.each(paths)("%s", (_, from, to, port, protocol, allowed) => {
    expect(judgeConnection(world, { from, to, port, protocol }).allowed).toBe(allowed);
  });
});

describe("what a policy means", () => {
  const a: NetworkPod = {
    namespace: "a",
    labels: { app: "a" },
    ip: "10.0.0.5",
    ports: [{ name: "web", number: 8080 }],
  };
  const b: NetworkPod = { namespace: "b", labels: { app: "b" }, ip: "10.0.1.7" };
  const policy = (spec: object): KubeObject => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "p", namespace: "a" },
    spec,
  });
  const judge = (spec: object, connection: Partial<Parameters<typeof judgeConnection>[1]> = {}) =>
    judgeConnection(
      { namespaces: { a: { tier: "one" }, b: { tier: "two" } }, policies: [policy(spec)] },
      { from: { pod: b }, to: { pod: a }, port: 8080, ...connection },
    );
  const allowed = { allowed: true };
  const ingress = { allowed: false, refusedBy: "ingress" };

  test("without a policy everything is open, and one of the other direction changes nothing", () => {
    expect(
      judgeConnection({ namespaces: {}, policies: [] }, { from: { pod: a }, to: { pod: b }, port: 1 }),
    ).toEqual(allowed);
    expect(judge({ podSelector: {}, policyTypes: ["Egress"] })).toEqual(allowed);
  });

  test("policyTypes left out means ingress, and egress where there are egress rules", () => {
    expect(judge({ podSelector: {} })).toEqual(ingress);
    const out = { from: { pod: a }, to: { pod: b } };
    expect(judge({ podSelector: {} }, out)).toEqual(allowed);
    expect(judge({ podSelector: {}, egress: [] }, out)).toEqual({ allowed: false, refusedBy: "egress" });
  });

  test("an empty rule allows all, an empty list of rules nothing", () => {
    expect(judge({ podSelector: {}, ingress: [{}] })).toEqual(allowed);
    expect(judge({ podSelector: {}, ingress: [] })).toEqual(ingress);
  });

  test("both selectors in one peer must hold, two peers add up", () => {
    const namespaceSelector = { matchLabels: { tier: "two" } };
    const podSelector = { matchLabels: { app: "other" } };
    expect(judge({ podSelector: {}, ingress: [{ from: [{ namespaceSelector, podSelector }] }] })).toEqual(
      ingress,
    );
    expect(judge({ podSelector: {}, ingress: [{ from: [{ namespaceSelector }, { podSelector }] }] })).toEqual(
      allowed,
    );
  });

  test("a pod selector alone means the policy's own namespace", () => {
    expect(judge({ podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] })).toEqual(ingress);
  });

  test("named ports are the destination's, ranges include both ends", () => {
    const named = { podSelector: {}, ingress: [{ ports: [{ port: "web" }] }] };
    expect(judge(named)).toEqual(allowed);
    expect(judge(named, { port: 8081 })).toEqual(ingress);
    const range = { podSelector: {}, ingress: [{ ports: [{ port: 8000, endPort: 8080 }] }] };
    expect(judge(range)).toEqual(allowed);
    expect(judge(range, { port: 8081 })).toEqual(ingress);
    expect(judge(range, { protocol: "UDP" })).toEqual(ingress);
  });

  test.each([
    ["10.0.1.0/24", [], true],
    ["10.0.0.0/16", ["10.0.1.0/29"], false],
    ["10.0.0.0/16", ["10.0.1.8/29"], true],
    ["fd00::/8", [], false],
  ])("an address block %s except %j", (cidr, except, expected) => {
    expect(judge({ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr, except } }] }] }).allowed).toBe(
      expected,
    );
    expect(
      judge(
        { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr, except } }] }] },
        { from: { ip: "10.0.1.7" } },
      ).allowed,
    ).toBe(expected);
  });

  test("expressions", () => {
    const from = (matchExpressions: object[]) => ({
      podSelector: {},
      ingress: [{ from: [{ namespaceSelector: { matchExpressions } }] }],
    });
    expect(judge(from([{ key: "tier", operator: "In", values: ["one", "two"] }]))).toEqual(allowed);
    expect(judge(from([{ key: "tier", operator: "NotIn", values: ["two"] }]))).toEqual(ingress);
    expect(judge(from([{ key: "absent", operator: "NotIn", values: ["x"] }]))).toEqual(allowed);
    expect(judge(from([{ key: "absent", operator: "Exists" }]))).toEqual(ingress);
    expect(judge(from([{ key: "tier", operator: "DoesNotExist" }]))).toEqual(ingress);
    expect(judge(from([{ key: "constructor", operator: "Exists" }]))).toEqual(ingress);
  });
});
