import { z } from "zod";
import { groupPath } from "./address.ts";
import { isClusterError } from "./errors.ts";
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
    return (resourceListSchema.parse(body).resources ?? [])
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
  const { body } = await transport.send({
    method: "GET",
    path: "/apis",
    text: "discover /apis",
    idempotent: true,
    ...options,
  });
  return [
    { group: "", version: "v1" },
    ...groupListSchema
      .parse(body)
      .groups.map(({ name, preferredVersion }) => ({ group: name, version: preferredVersion.version })),
  ];
}
