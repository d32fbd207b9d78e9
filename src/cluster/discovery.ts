import { z } from "zod";
import { groupPath } from "./address.ts";
import { ClusterError, isClusterError } from "./errors.ts";
import type { Resource } from "./resource.ts";
import type { HttpRequest, Transport } from "./transport.ts";

const resourceListSchema = z.looseObject({
  resources: z
    .array(
      z.looseObject({
        name: z.string(),
        kind: z.string(),
        namespaced: z.boolean(),
        verbs: z.array(z.string()).nullish(),
      }),
    )
    .nullish(),
});

const groupListSchema = z.looseObject({
  groups: z.array(
    z.looseObject({ name: z.string(), preferredVersion: z.looseObject({ version: z.string() }) }),
  ),
});

/** A resource as discovery tells it. */
export interface ServedResource extends Resource {
  readonly verbs: readonly string[];
}

type Options = Pick<HttpRequest, "signal" | "timeoutMs" | "step">;

/** What one group and version serves, subresources left out; empty where the server does not know it. */
export async function servedIn(
  transport: Transport,
  { group, version }: Pick<Resource, "group" | "version">,
  options: Options,
): Promise<readonly ServedResource[]> {
  const path = groupPath({ group, version });
  const request: HttpRequest = {
    method: "GET",
    path,
    text: `discover ${path}`,
    idempotent: true,
    ...options,
  };
  try {
    const { body } = await transport.send(request);
    return (understood(resourceListSchema, body, request.text).resources ?? [])
      .filter(({ name }) => !name.includes("/"))
      .map(({ name, kind, namespaced, verbs }) => ({
        group,
        version,
        plural: name,
        kind,
        namespaced,
        verbs: verbs ?? [],
      }));
  } catch (error) {
    if (isClusterError(error, "not-found")) return [];
    throw error;
  }
}

/** Every group at its preferred version. */
export async function servedGroups(
  transport: Transport,
  options: Options,
): Promise<readonly Pick<Resource, "group" | "version">[]> {
  const text = "discover /apis";
  const { body } = await transport.send({
    method: "GET",
    path: "/apis",
    text,
    idempotent: true,
    ...options,
  });
  return [
    { group: "", version: "v1" },
    ...understood(groupListSchema, body, text).groups.map(({ name, preferredVersion }) => ({
      group: name,
      version: preferredVersion.version,
    })),
  ];
}

/** @throws ClusterError for an answer of something that is no Kubernetes API */
function understood<T>(schema: z.ZodType<T>, body: unknown, request: string): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new ClusterError("server", `the answer to "${request}" is not understood`, { request });
}
