import type { KubeObject } from "../../cluster/object.ts";
import { operatorName, systemNamespace } from "../names.ts";
import { metadataIn, type Place } from "./subject.ts";

/** What the operator may do in a managed namespace and nowhere else: its Secrets, and a look at all that is there. */
export const operatorNamespaceClusterRole = "platform-operator-namespace";

/** Lets the operator write credentials here: no right of its own to Secrets reaches any other namespace. */
export function operatorRoleBinding(place: Place): KubeObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: metadataIn(place, operatorName),
    roleRef: {
      apiGroup: "rbac.authorization.k8s.io",
      kind: "ClusterRole",
      name: operatorNamespaceClusterRole,
    },
    subjects: [{ kind: "ServiceAccount", name: operatorName, namespace: systemNamespace }],
  };
}
