import { BlockList, isIPv6 } from "node:net";
import { z } from "zod";
import type { KubeObject } from "../cluster/object.ts";

type Protocol = "TCP" | "UDP" | "SCTP";
type Labels = Readonly<Record<string, string>>;

/** A pod as network policies see it. */
export interface NetworkPod {
  readonly namespace: string;
  readonly labels: Labels;
  readonly ip?: string;
  /** Its containers' ports: named ports of policies are looked up here. */
  readonly ports?: readonly {
    readonly name: string;
    readonly number: number;
    readonly protocol?: Protocol;
  }[];
}

/** One end of a connection: a pod, or an address outside the cluster. */
export type NetworkEnd = { readonly pod: NetworkPod } | { readonly ip: string };

export interface NetworkWorld {
  /** Labels of each namespace; Kubernetes itself sets `kubernetes.io/metadata.name`, and so does the evaluator. */
  readonly namespaces: Readonly<Record<string, Labels>>;
  readonly policies: readonly KubeObject[];
}

export interface Connection {
  readonly from: NetworkEnd;
  readonly to: NetworkEnd;
  readonly port: number;
  /** Default TCP. */
  readonly protocol?: Protocol;
}

/** Which side refuses, where one does; a connection needs both to allow it. */
export type Judgement =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly refusedBy: "ingress" | "egress" };

const selectorSchema = z.object({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z
    .array(
      z.object({
        key: z.string(),
        operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
        values: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});
type Selector = z.output<typeof selectorSchema>;

const peerSchema = z.object({
  podSelector: selectorSchema.optional(),
  namespaceSelector: selectorSchema.optional(),
  ipBlock: z.object({ cidr: z.string(), except: z.array(z.string()).default([]) }).optional(),
});
type Peer = z.output<typeof peerSchema>;

const portSchema = z.object({
  protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP"),
  port: z.union([z.int(), z.string()]).optional(),
  endPort: z.int().optional(),
});
type PolicyPort = z.output<typeof portSchema>;

const ruleSchema = z
  .object({
    from: z.array(peerSchema).default([]),
    to: z.array(peerSchema).default([]),
    ports: z.array(portSchema).default([]),
  })
  .transform(({ from, to, ports }) => ({ peers: [...from, ...to], ports }));

const policySchema = z.object({
  metadata: z.object({ namespace: z.string() }),
  spec: z.object({
    podSelector: selectorSchema.prefault({}),
    policyTypes: z.array(z.enum(["Ingress", "Egress"])).optional(),
    ingress: z.array(ruleSchema).default([]),
    egress: z.array(ruleSchema).optional(),
  }),
});
type Policy = z.output<typeof policySchema>;

function holds(
  { operator, values }: Selector["matchExpressions"][number],
  value: string | undefined,
): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

function selects(selector: Selector, labels: Labels): boolean {
  const own = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(selector.matchLabels).every(([key, value]) => own(key) === value) &&
    selector.matchExpressions.every((expression) => holds(expression, own(expression.key)))
  );
}

function inBlock(cidr: string, ip: string): boolean {
  const [network = "", prefix = ""] = cidr.split("/");
  if (isIPv6(network) !== isIPv6(ip)) return false;
  const family = isIPv6(network) ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), family);
  return list.check(ip, family);
}

function peerMatches(peer: Peer, end: NetworkEnd, policyNamespace: string, world: NetworkWorld): boolean {
  if (peer.ipBlock !== undefined) {
    const ip = "ip" in end ? end.ip : end.pod.ip;
    return (
      ip !== undefined &&
      inBlock(peer.ipBlock.cidr, ip) &&
      !peer.ipBlock.except.some((cidr) => inBlock(cidr, ip))
    );
  }
  if (!("pod" in end)) return false;
  const { namespace, labels } = end.pod;
  const inNamespace =
    peer.namespaceSelector === undefined
      ? namespace === policyNamespace
      : selects(peer.namespaceSelector, {
          ...world.namespaces[namespace],
          "kubernetes.io/metadata.name": namespace,
        });
  return inNamespace && (peer.podSelector === undefined || selects(peer.podSelector, labels));
}

function portMatches(policyPort: PolicyPort, to: NetworkEnd, port: number, protocol: Protocol): boolean {
  if (policyPort.protocol !== protocol) return false;
  if (policyPort.port === undefined) return true;
  if (typeof policyPort.port === "number") {
    return port >= policyPort.port && port <= (policyPort.endPort ?? policyPort.port);
  }
  // A name means the port of that name on the pod that is connected to, in either direction.
  if (!("pod" in to)) return false;
  return (to.pod.ports ?? []).some(
    ({ name, number, protocol: own = "TCP" }) =>
      name === policyPort.port && number === port && own === protocol,
  );
}

type Direction = "ingress" | "egress";

function rulesOf(policy: Policy, direction: Direction) {
  const { ingress, egress } = policy.spec;
  const types = policy.spec.policyTypes ?? (egress === undefined ? ["Ingress"] : ["Ingress", "Egress"]);
  if (!types.includes(direction === "ingress" ? "Ingress" : "Egress")) return undefined;
  return direction === "ingress" ? ingress : (egress ?? []);
}

function sideAllows(
  direction: Direction,
  policies: readonly Policy[],
  connection: Connection,
  world: NetworkWorld,
) {
  const own = direction === "ingress" ? connection.to : connection.from;
  const other = direction === "ingress" ? connection.from : connection.to;
  if (!("pod" in own)) return true;
  const applying = policies
    .filter(
      ({ metadata, spec }) =>
        metadata.namespace === own.pod.namespace && selects(spec.podSelector, own.pod.labels),
    )
    .flatMap((policy) => {
      const rules = rulesOf(policy, direction);
      return rules === undefined ? [] : [{ namespace: policy.metadata.namespace, rules }];
    });
  // A pod that no policy of this direction selects is open.
  if (applying.length === 0) return true;
  return applying.some(({ namespace, rules }) =>
    rules.some(
      ({ peers, ports }) =>
        (peers.length === 0 || peers.some((peer) => peerMatches(peer, other, namespace, world))) &&
        (ports.length === 0 ||
          ports.some((port) =>
            portMatches(port, connection.to, connection.port, connection.protocol ?? "TCP"),
          )),
    ),
  );
}

/**
 * Whether NetworkPolicies (networking.k8s.io/v1) let a connection through, as a cluster whose network enforces them
 * would decide. Both sides have to allow it; policies add up, nothing subtracts. Pure.
 * @throws ZodError where a policy is not one.
 */
export function judgeConnection(world: NetworkWorld, connection: Connection): Judgement {
  const policies = world.policies.map((policy) => policySchema.parse(policy));
  for (const direction of ["egress", "ingress"] as const) {
    if (!sideAllows(direction, policies, connection, world)) return { allowed: false, refusedBy: direction };
  }
  return { allowed: true };
}
