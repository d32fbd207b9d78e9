import { labels } from "../../application/names.ts";
import { customResourceDefinition } from "../../cluster/custom-resource.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { structuralSchema } from "../../cluster/structural-schema.ts";
import { runSpecSchema } from "./run-record.ts";

const onceOptional = (field: string) => ({
  rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
  message: `a run is a request: its ${field} cannot be changed, make another run`,
});

const once = (field: string) => ({
  rule: `self.${field} == oldSelf.${field}`,
  message: `a run is a request: its ${field} cannot be changed, make another run`,
});

/**
 * The CRD of Run. `spec` is a request and immutable but for `action` and its options; `status` is the journal and has its own
 * subresource, so that rights to ask and rights to execute are apart.
 */
export const runCrd: KubeObject = customResourceDefinition({
  resource: resources.runs,
  labels: { [labels.managed]: "true", "app.kubernetes.io/managed-by": "platform" },
  categories: ["platform"],
  subresources: { status: {} },
  columns: [
    { name: "Service", type: "string", jsonPath: ".spec.service" },
    { name: "Operation", type: "string", jsonPath: ".spec.operation" },
    { name: "Phase", type: "string", jsonPath: ".status.phase" },
    { name: "Next Try", type: "string", jsonPath: ".status.nextTry" },
    { name: "Message", type: "string", jsonPath: ".status.message" },
    { name: "Attempts", type: "integer", jsonPath: ".status.attempts", priority: 1 },
    { name: "Namespace", type: "string", jsonPath: ".spec.sharedNamespace", priority: 1 },
    { name: "Requested By", type: "string", jsonPath: ".spec.requestedBy", priority: 1 },
    { name: "Holder", type: "string", jsonPath: ".status.holder", priority: 1 },
    { name: "Finished", type: "date", jsonPath: ".status.finishedAt", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  description: "One execution of a plan, and its journal.",
  spec: {
    ...structuralSchema(runSpecSchema),
    description: "What was asked for.",
    "x-kubernetes-validations": [
      once("operation"),
      once("service"),
      onceOptional("sharedNamespace"),
      once("team"),
      once("requestedBy"),
      once("parameters"),
    ],
  },
  status: {
    type: "object",
    description: "What has happened: written by who executes the run.",
    properties: {
      phase: { type: "string", description: "Where the run is." },
      message: { type: "string", description: "What it does, or why it rests." },
      epoch: {
        type: "integer",
        format: "int64",
        description: "Grows with each engine that takes the run; an older one may not write.",
      },
      holder: { type: "string", description: "Who executes, or last executed, it." },
      token: { type: "string", description: "Tells two engines of one holder apart." },
      writtenAt: {
        type: "string",
        description:
          "When its holder wrote this, by its own clock: who sees it change sees a holder that lives.",
      },
      attempts: {
        type: "integer",
        format: "int64",
        description: "Of the step that was tried most often.",
      },
      nextTry: {
        type: "string",
        description: "When a step that failed is tried again by itself; unset where none is.",
      },
      startedAt: { type: "string", format: "date-time" },
      finishedAt: { type: "string", format: "date-time" },
      standardsHash: { type: "string", description: "Of the standards the plan was made from." },
      logChunks: {
        type: "object",
        description: "Which ConfigMaps beside the run hold older log lines: from first to before next.",
        properties: { first: { type: "integer" }, next: { type: "integer" } },
      },
      eventVersion: { type: "integer", description: "Version of the events' schema." },
      events: {
        type: "array",
        description: "The journal, oldest first.",
        items: {
          type: "object",
          required: ["type", "at"],
          properties: { type: { type: "string" }, at: { type: "string" } },
          "x-kubernetes-preserve-unknown-fields": true,
        },
      },
    },
  },
});
