import { operatorName, systemNamespace } from "../application/names.ts";
import type { Expression } from "./policy.ts";

/** The operator as the API server names it. */
export const operatorUser = `system:serviceaccount:${systemNamespace}:${operatorName}`;

/**
 * A text as a CEL literal. Only for what this program itself is made of.
 * @throws Error where the text would end the literal
 */
export function literal(text: string): string {
  if (/['\\\n\r]/.test(text)) throw new Error("no text for a CEL literal");
  return `'${text}'`;
}

/** Who asks is the operator. */
export const isOperator = `request.userInfo.username == ${literal(operatorUser)}`;

/**
 * Who asks may manage guardrails, in the whole cluster: without a namespace in the question, no RoleBinding in a
 * namespace answers it.
 */
export const mayManage =
  "authorizer.group('platform.company.com').resource('guardrails').check('manage').allowed()";

/**
 * Kubernetes itself: its control plane, its nodes, and the controllers in `kube-system`. Whoever may act as one of
 * these has the whole cluster already.
 */
export const isCluster = [
  "request.userInfo.username in ['system:kube-controller-manager', 'system:kube-scheduler', 'system:apiserver']",
  "'system:nodes' in request.userInfo.groups",
  "'system:serviceaccounts:kube-system' in request.userInfo.groups",
].join(" || ");

/**
 * Conditions under which a guardrail asks nothing of whoever the platform itself is. Each is one expression, the cheapest
 * question first: every write in the cluster passes here, and an `authorizer` is asked last.
 */
export const notThePlatform: readonly Expression[] = [
  { name: "not-the-platform", expression: `!(${isOperator} || ${mayManage})` },
];

/** … nor of Kubernetes itself. */
export const notThePlatformOrCluster: readonly Expression[] = [
  { name: "not-the-platform-or-kubernetes", expression: `!(${isOperator} || ${isCluster} || ${mayManage})` },
];
