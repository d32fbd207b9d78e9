import { labels } from "../../application/names.ts";
import type { Guardrail } from "../policy.ts";
import { literal, notThePlatform } from "../principals.ts";

const managed = literal(labels.managed);

/** Keys that decide what is enforced in a namespace. */
const guarded =
  "k.startsWith('platform.company.com/') || k.startsWith('pod-security.kubernetes.io/') || k == 'resource.kubernetes.io/admin-access' || k.startsWith('istio')";

/**
 * Namespaces themselves. Labels can be written through `namespaces/status` and `namespaces/finalize` as well, so those
 * are looked at too; and not by a selector, which would see only the labels that are to be.
 */
export const namespaces: Guardrail = {
  name: "namespaces",
  reason:
    "A managed namespace keeps the labels by which everything else is enforced, and only the platform makes or deletes one.",
  where: "everywhere",
  requests: [
    {
      groups: [""],
      resources: ["namespaces", "namespaces/status", "namespaces/finalize"],
      operations: ["CREATE", "UPDATE", "DELETE"],
    },
  ],
  when: [
    ...notThePlatform,
    {
      name: "managed-before-or-after",
      expression: `(object != null && ${managed} in object.metadata.?labels.orValue({})) || (oldObject != null && ${managed} in oldObject.metadata.?labels.orValue({}))`,
    },
  ],
  variables: [
    { name: "new", expression: "object == null ? {} : object.metadata.?labels.orValue({})" },
    { name: "old", expression: "oldObject == null ? {} : oldObject.metadata.?labels.orValue({})" },
  ],
  rules: [
    {
      expression: `request.operation != 'CREATE' && (request.operation != 'UPDATE' || ${managed} in variables.old)`,
      message:
        "namespaces: only the platform makes a managed namespace (a platform engineer: platform namespace manage NAME --team TEAM)",
    },
    {
      expression: `request.operation != 'UPDATE' || (variables.new.all(k, !(${guarded}) || (k in variables.old && variables.old[k] == variables.new[k])) && variables.old.all(k, !(${guarded}) || k in variables.new))`,
      message:
        "namespaces: the labels of a managed namespace that decide what is enforced in it stay as they are",
    },
    {
      expression:
        "request.operation != 'DELETE' || (has(oldObject.metadata.deletionTimestamp) && request.userInfo.username == 'system:serviceaccount:kube-system:namespace-controller')",
      message:
        "namespaces: a managed namespace is deleted only by the platform (platform service delete, or platform namespace unmanage)",
    },
  ],
};
