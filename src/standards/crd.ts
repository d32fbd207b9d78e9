import type { KubeObject } from "../cluster/object.ts";
import { structuralSchema } from "../cluster/structural-schema.ts";
import { standardsName, standardsSchema } from "./standards.ts";

/** The CRD of Standards: cluster-scoped, one object, written by admins only. */
export const standardsCrd: KubeObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: {
    name: "standards.platform.company.com",
    labels: { "platform.company.com/managed": "true", "app.kubernetes.io/managed-by": "platform" },
  },
  spec: {
    group: "platform.company.com",
    scope: "Cluster",
    names: {
      plural: "standards",
      singular: "standards",
      kind: "Standards",
      listKind: "StandardsList",
      categories: ["platform"],
    },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        additionalPrinterColumns: [
          { name: "Organization", type: "string", jsonPath: ".spec.organization" },
          { name: "Domain", type: "string", jsonPath: ".spec.domain" },
          { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
        ],
        schema: {
          openAPIV3Schema: {
            type: "object",
            description: "The organisation's decisions, which every service follows.",
            required: ["spec"],
            properties: {
              apiVersion: { type: "string" },
              kind: { type: "string" },
              metadata: { type: "object" },
              spec: structuralSchema(standardsSchema),
            },
            "x-kubernetes-validations": [
              {
                rule: `self.metadata.name == '${standardsName}'`,
                message: `there is one, named ${standardsName}`,
              },
            ],
          },
        },
      },
    ],
  },
};
