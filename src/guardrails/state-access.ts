import { operatorName, stateNamespace } from "../application/names.ts";
import type { KubeObject } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import { operatorSubject } from "./bindings.ts";
import { partLabels } from "./policy.ts";
import { roleRule } from "./roles.ts";

const write = ["create", "update", "patch", "delete"];

/**
 * Where Terraform's states are, and the operator's rights there; nothing where the standards have no data stores outside
 * of the cluster, or keep states elsewhere. Pure.
 */
export function stateAccess({ google, terraform }: Standards): readonly KubeObject[] {
  if (google === undefined || terraform.state !== "kubernetes") return [];
  const rbac = "rbac.authorization.k8s.io";
  const metadata = { name: operatorName, namespace: stateNamespace, labels: partLabels };
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: stateNamespace,
        labels: { ...partLabels, "pod-security.kubernetes.io/enforce": "restricted" },
      },
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "Role",
      metadata: {
        ...metadata,
        annotations: {
          "platform.company.com/reason":
            "Terraform's states (Secrets), their locks (Leases), and who works on them (ConfigMaps).",
        },
      },
      rules: [
        roleRule("", ["secrets", "configmaps"], ["get", "list", ...write]),
        roleRule("coordination.k8s.io", ["leases"], ["get", "list", ...write]),
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "Role", name: operatorName },
      subjects: [operatorSubject],
    },
  ];
}
