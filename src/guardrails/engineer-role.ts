import type { KubeObject } from "../cluster/object.ts";
import { operatorRules } from "./operator-role.ts";
import { clusterRole, read, roleRule } from "./roles.ts";

/**
 * Platform engineers: whoever holds it passes the guardrails that protect namespaces, may execute runs without an
 * operator, and writes standards and exceptions. It is bound to nobody by the platform itself.
 */
export const engineerRole: KubeObject = clusterRole(
  "platform-admin",
  "Manage guardrails, standards and exceptions, and execute runs without an operator. Bind it to platform engineers.",
  [
    roleRule("platform.company.com", ["guardrails"], ["manage"]),
    roleRule("platform.company.com", ["standards"], [...read, "create", "update", "patch", "delete"]),
    roleRule("platform.company.com", ["runs"], ["delete"]),
    roleRule("coordination.k8s.io", ["leases"], [...read, "create", "update", "patch", "delete"]),
    ...operatorRules,
  ],
);
