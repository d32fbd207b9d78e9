import { customResourceDefinition } from "../cluster/custom-resource.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import { structuralSchema } from "../cluster/structural-schema.ts";
import { labels, maxServiceNameLength } from "./names.ts";
import { applicationStatusSchema, storedSpecSchema } from "./schema.ts";
import { storeKinds } from "./store-provider.ts";
import { fixedElsewhere, providerStays } from "./store-rules.ts";

/**
 * The CRD of Application. Team and language cannot change: the first is a matter of rights, the second of the
 * repository; a service's name is checked here too, since other objects' names are made from it.
 */
export const applicationCrd: KubeObject = customResourceDefinition({
  resource: resources.applications,
  labels: { [labels.managed]: "true", "app.kubernetes.io/managed-by": "platform" },
  shortNames: ["app"],
  categories: ["platform"],
  subresources: {
    status: {},
    scale: {
      specReplicasPath: ".spec.replicas",
      statusReplicasPath: ".status.replicas",
      labelSelectorPath: ".status.selector",
    },
  },
  columns: [
    { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: "Replicas", type: "integer", jsonPath: ".spec.replicas" },
    { name: "Image", type: "string", jsonPath: ".spec.image" },
    { name: "Team", type: "string", jsonPath: ".spec.team" },
    { name: "Starter", type: "boolean", jsonPath: ".spec.starter", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  description: "A service: what it runs, what it has, and who owns it.",
  spec: {
    ...structuralSchema(storedSpecSchema, { defaults: true }),
    description: "Desired state of the service.",
    "x-kubernetes-validations": [
      {
        rule: "!has(oldSelf.team) || (has(self.team) && self.team == oldSelf.team)",
        message: "the owning team cannot be changed here",
      },
      { rule: "self.language == oldSelf.language", message: "the language cannot be changed" },
    ],
  },
  status: {
    ...structuralSchema(applicationStatusSchema),
    description: "What the cluster has made of it.",
  },
  rules: [
    ...storeKinds.map(providerStays),
    fixedElsewhere(
      "database",
      "cloudsql",
      "size",
      "the size of a database at Google is what it was made with: another one is given to it there, gcloud sql instances patch",
    ),
    fixedElsewhere(
      "database",
      "cloudnative-pg",
      "size",
      "the size of a database of CloudNativePG is what it was made with: a platform engineer gives it another one, kubectl edit cluster.postgresql.cnpg.io",
    ),
    fixedElsewhere(
      "cache",
      "memorystore",
      "version",
      "the version of a cache at Google is what it was made with: it is upgraded there, gcloud redis instances upgrade",
    ),
    {
      rule: `self.metadata.name.size() <= ${maxServiceNameLength} && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')`,
      message: `a service's name has at most ${maxServiceNameLength} lower-case letters, digits and hyphens and starts with a letter`,
    },
  ],
});
