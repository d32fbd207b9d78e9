import { z } from "zod";
import { labels } from "../application/names.ts";
import { guardrailsName } from "../application/objects/guardrails.ts";
import { customResourceDefinition } from "../cluster/custom-resource.ts";
import type { KubeObject } from "../cluster/object.ts";
import { resources } from "../cluster/resource.ts";
import { structuralSchema } from "../cluster/structural-schema.ts";

/** Rules that a workload may be excepted from, by the words that refusals begin with. */
export const exceptionRules = [
  "registry",
  "digest",
  "tag",
  "resources",
  "probes",
  "privilege",
  "host",
  "services",
  "routes",
] as const;
export type ExceptionRule = (typeof exceptionRules)[number];

const exceptionSchema = z.strictObject({
  rule: z.enum(exceptionRules).describe("The rule that does not apply."),
  workload: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
    .describe(
      "Name of the workload. It covers objects of this name, and of names that begin with it and a hyphen.",
    ),
  owner: z.string().min(3).max(200).describe("Who answers for the exception: a person or a team."),
  reason: z.string().min(10).max(1000).describe("Why it is needed, and what will end it."),
  expires: z.iso
    .datetime()
    .describe("From then on it excepts nothing that is created: RFC 3339, for example 2027-03-31T00:00:00Z."),
});
export type Exception = Readonly<z.output<typeof exceptionSchema>>;

/** `spec` of a Guardrails object: parameters of the admission policies in its namespace. */
export const guardrailsSpecSchema = z.strictObject({
  registries: z
    .array(z.string().min(1).max(512))
    .max(100)
    .describe("Registries, or paths in them, that images may come from; empty: any. From the standards."),
  images: z
    .array(z.string().min(1).max(512))
    .max(100)
    .optional()
    .describe(
      "Images that the standards name themselves: they may run as they are named. From the standards.",
    ),
  imagesByDigest: z
    .boolean()
    .describe("Whether every other image must be named by its digest. From the namespace's tier."),
  exceptions: z
    .array(exceptionSchema)
    .max(50)
    .optional()
    .describe(
      "What need not keep a rule, why, on whose account, and until when. Written by people who may manage guardrails; never by the platform.",
    ),
});
export type GuardrailsSpec = Readonly<z.output<typeof guardrailsSpecSchema>>;

/** The CRD of Guardrails: one object in each managed namespace; without it the policies let no pod start there. */
export const guardrailsCrd: KubeObject = customResourceDefinition({
  resource: resources.guardrails,
  labels: { [labels.managed]: "true", "app.kubernetes.io/managed-by": "platform" },
  categories: ["platform"],
  columns: [
    { name: "By Digest", type: "boolean", jsonPath: ".spec.imagesByDigest" },
    { name: "Registries", type: "string", jsonPath: ".spec.registries", priority: 1 },
    { name: "Exceptions", type: "string", jsonPath: ".spec.exceptions[*].rule" },
    { name: "Expires", type: "string", jsonPath: ".spec.exceptions[*].expires" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  description: "What the guardrails ask of a managed namespace's pods, and the exceptions to it.",
  spec: {
    ...structuralSchema(guardrailsSpecSchema),
    description: "Parameters of the admission policies in this namespace.",
  },
  rules: [
    {
      rule: `self.metadata.name == '${guardrailsName}'`,
      message: `a namespace has one, named ${guardrailsName}`,
    },
  ],
});
