import { databasesNamespace, operatorName } from "../application/names.ts";
import { ports } from "../application/ports.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import type { Standards } from "../standards/standards.ts";
import { operatorSubject } from "./bindings.ts";
import { partLabels } from "./policy.ts";
import { roleRule } from "./roles.ts";

const write = ["create", "update", "patch", "delete"];
const rbac = "rbac.authorization.k8s.io";

/** Kinds that runs write there: databases, their logins, the paths to them, and how they are watched. */
export const databaseKinds = [
  resources.postgresClusters,
  resources.secrets,
  resources.networkPolicies,
  resources.podMonitors,
] as const;

/**
 * Where CloudNativePG's databases run, and the operator's rights there; nothing where the standards do not have it. Its pods
 * talk to the API server, whose address a policy does not know: they reach no other ports than its. Pure.
 */
export function databaseAccess({ database: { cloudnativepg } }: Standards): readonly KubeObject[] {
  if (cloudnativepg === undefined) return [];
  const inPlace = (name: string) => ({ name, namespace: databasesNamespace, labels: partLabels });
  const policy = (name: string, spec: object): KubeObject => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: inPlace(name),
    spec: { podSelector: {}, ...spec },
  });
  const everyPodOf = (namespace: string) => ({
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
  });
  const port = (number: number, protocol = "TCP") => ({ protocol, port: number });
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: databasesNamespace,
        labels: { ...partLabels, "pod-security.kubernetes.io/enforce": "restricted" },
      },
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "Role",
      metadata: {
        ...inPlace(operatorName),
        annotations: {
          "platform.company.com/reason":
            "Databases that CloudNativePG runs, with their logins (Secrets), the paths to them and how they are watched.",
        },
      },
      rules: databaseKinds.map(({ group, plural }) => roleRule(group, [plural], ["get", "list", ...write])),
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata: inPlace(operatorName),
      roleRef: { apiGroup: rbac, kind: "Role", name: operatorName },
      subjects: [operatorSubject],
    },
    policy("closed", { policyTypes: ["Ingress", "Egress"] }),
    policy("dns", {
      policyTypes: ["Egress"],
      egress: [{ to: [everyPodOf("kube-system")], ports: [port(53, "UDP"), port(53)] }],
    }),
    policy("cloudnative-pg", {
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          from: [everyPodOf(cloudnativepg.operatorNamespace)],
          ports: [port(ports.postgres.number), port(8000)],
        },
      ],
      egress: [{ ports: [port(443), port(6443)] }],
    }),
  ];
}
