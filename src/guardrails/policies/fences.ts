import type { Guardrail, Requests } from "../policy.ts";
import { mayManage, notThePlatform, notThePlatformOrCluster } from "../principals.ts";

const every = ["CREATE", "UPDATE", "DELETE"] as const;

/** Kubernetes' own controllers, by what each has to do here. */
const controllers =
  "(request.operation == 'DELETE' && request.userInfo.username in ['system:serviceaccount:kube-system:namespace-controller', 'system:serviceaccount:kube-system:generic-garbage-collector', 'system:kube-controller-manager'])";

const kinds: readonly Omit<Requests, "operations">[] = [
  { groups: [""], resources: ["resourcequotas", "limitranges"] },
  { groups: ["networking.k8s.io"], resources: ["networkpolicies"] },
  { groups: ["rbac.authorization.k8s.io"], resources: ["roles", "rolebindings"] },
  { groups: ["platform.company.com"], resources: ["guardrails"] },
];

/** Every write of what fences a namespace in. */
export const fenceWrites: readonly Requests[] = kinds.map((kind) => ({ ...kind, operations: every }));

/** Quota, defaults, network policies, rights and parameters of a managed namespace. */
export const fences: Guardrail = {
  name: "fences",
  reason:
    "Quota, defaults, network policies, rights and exceptions of a managed namespace are written by the platform alone.",
  where: "managed",
  requests: fenceWrites,
  when: notThePlatform,
  rules: [
    {
      expression: controllers,
      message:
        "fences: quota, limits, network policies, rights and guardrails of a managed namespace are written by the platform alone",
    },
  ],
};

/** What a quota has counted is Kubernetes' to say: who writes zero there has no quota. */
export const quotaStatus: Guardrail = {
  name: "quota-status",
  reason: "What a ResourceQuota of a managed namespace has counted is written by Kubernetes alone.",
  where: "managed",
  requests: [{ groups: [""], resources: ["resourcequotas/status"], operations: ["UPDATE"] }],
  when: notThePlatformOrCluster,
  rules: [
    { expression: "false", message: "quota-status: what a quota has counted is written by Kubernetes alone" },
  ],
};

/** The operator keeps the parameters; exceptions are people's, who answer for them. */
export const exceptionsAreMade: Guardrail = {
  name: "exceptions",
  reason: "Exceptions from guardrails are made by people who may manage guardrails, never by the operator.",
  where: "everywhere",
  requests: [
    { groups: ["platform.company.com"], resources: ["guardrails"], operations: ["CREATE", "UPDATE"] },
  ],
  when: [{ name: "who-manages-passes", expression: `!${mayManage}` }],
  rules: [
    {
      expression:
        "object.spec.?exceptions.orValue([]) == (oldObject == null ? [] : oldObject.spec.?exceptions.orValue([]))",
      message: "exceptions: exceptions are written only by people who may manage guardrails",
    },
  ],
};
