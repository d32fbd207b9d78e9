import { z } from "zod";

const workspace = {
  kind: z.literal("workspace"),
  name: z.string(),
  /** Of the service. */
  namespace: z.string(),
  /** Name of the data store in the cluster: of its Secret, and of the ConfigMap that says where it is. */
  store: z.string(),
  /** Its name at the provider. */
  instance: z.string(),
};

/**
 * A data store that runs elsewhere than beside its service, such as a workspace of Terraform: with enough to remove it where
 * nothing else is left.
 */
export const workspaceSchema = z.discriminatedUnion("provider", [
  z.strictObject({
    ...workspace,
    provider: z.enum(["cloudsql", "memorystore"]),
    project: z.string(),
    region: z.string(),
    network: z.string().optional(),
  }),
  z.strictObject({ ...workspace, provider: z.literal("cloudnative-pg") }),
]);

/**
 * One thing outside the process that a step made or changed. Its key is deterministic, so that an intent found
 * without a result can be looked up.
 */
export const effectSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("object"),
    apiVersion: z.string(),
    /** Kubernetes kind, for example `Deployment`. */
    type: z.string(),
    namespace: z.string().optional(),
    name: z.string(),
  }),
  z.strictObject({
    kind: z.literal("repository"),
    /** URL of the repository, without credentials. */
    url: z.string(),
  }),
  z.strictObject({
    kind: z.literal("commit"),
    url: z.string(),
    branch: z.string(),
    /** What the commit writes, for a person. */
    title: z.string(),
  }),
  workspaceSchema,
]);
export type Effect = z.output<typeof effectSchema>;

/** Identity of an effect within a run: equal keys are the same thing outside. */
export function effectKey(effect: Effect): string {
  switch (effect.kind) {
    case "object":
      return `object:${effect.apiVersion}/${effect.type}:${effect.namespace ?? ""}/${effect.name}`;
    case "repository":
      return `repository:${effect.url}`;
    case "commit":
      return `commit:${effect.url}#${effect.branch}:${effect.title}`;
    case "workspace":
      return `workspace:${effect.name}/${effect.instance}`;
  }
}

/** Short text for a person, as kubectl writes it: `deployment/api-gateway`. */
export function effectLabel(effect: Effect): string {
  switch (effect.kind) {
    case "object":
      return `${effect.type.toLowerCase()}/${effect.name}`;
    case "repository":
      return `repository ${effect.url.replace(/^.*\/([^/]+\/[^/]+?)(\.git)?$/, "$1")}`;
    case "commit":
      return `commit "${effect.title}"`;
    case "workspace":
      return `${effect.provider} ${effect.instance}`;
  }
}
