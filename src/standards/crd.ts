import { customResourceDefinition } from "../cluster/custom-resource.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import { structuralSchema } from "../cluster/structural-schema.ts";
import { standardsName, standardsSchema } from "./standards.ts";

/** The CRD of Standards: cluster-scoped, one object, written by admins only. */
export const standardsCrd: KubeObject = customResourceDefinition({
  resource: resources.standards,
  labels: { "platform.company.com/managed": "true", "app.kubernetes.io/managed-by": "platform" },
  categories: ["platform"],
  columns: [
    { name: "Organization", type: "string", jsonPath: ".spec.organization" },
    { name: "Domain", type: "string", jsonPath: ".spec.domain" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  description: "The organisation's decisions, which every service follows.",
  spec: structuralSchema(standardsSchema),
  rules: [
    {
      rule: `self.metadata.name == '${standardsName}'`,
      message: `there is one, named ${standardsName}`,
    },
  ],
});
