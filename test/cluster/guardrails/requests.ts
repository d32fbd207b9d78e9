import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { parse } from "yaml";
import { z } from "zod";

/** What a request asks, as kubectl would send it. */
export interface Asked {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** Of a PATCH; `merge` where left out. */
  readonly patch?: "merge" | "json" | "strategic" | "apply";
  /** `Impersonate-User`, and groups after it. */
  readonly impersonate?: readonly [string, ...string[]];
}

/** What the server said. */
export interface Answer {
  readonly status: number;
  readonly message: string;
  readonly body: unknown;
}

/** Somebody who can send any request, those that no method of ours sends included. */
export interface Person {
  ask(asked: Asked): Promise<Answer>;
  close(): void;
}

const kubeconfigSchema = z.object({
  clusters: z.array(
    z.object({
      name: z.string(),
      cluster: z.object({
        server: z.string(),
        "certificate-authority": z.string().optional(),
        "certificate-authority-data": z.string().optional(),
      }),
    }),
  ),
  contexts: z.array(
    z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) }),
  ),
  users: z.array(z.object({ name: z.string(), user: z.object({ token: z.string().optional() }) })),
});

const contentTypes = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

function found<T extends { readonly name: string }>(items: readonly T[], name: string): T {
  const item = items.find((candidate) => candidate.name === name);
  if (item === undefined) throw new Error(`the kubeconfig has no ${name}`);
  return item;
}

function messageOf(body: unknown, text: string): string {
  return typeof body === "object" && body !== null && "message" in body && typeof body.message === "string"
    ? body.message
    : text.slice(0, 300);
}

/**
 * @param who - a context of the kubeconfig whose user has a token, or a token
 */
export function person(
  kubeconfig: string,
  who: { readonly context: string } | { readonly token: string },
): Person {
  const config = kubeconfigSchema.parse(parse(readFileSync(kubeconfig, "utf8")));
  const { context } = found(config.contexts, "context" in who ? who.context : "admin");
  const { cluster } = found(config.clusters, context.cluster);
  const token = "token" in who ? who.token : found(config.users, context.user).user.token;
  const data = cluster["certificate-authority-data"];
  const file = cluster["certificate-authority"];
  const ca =
    data !== undefined ? Buffer.from(data, "base64") : file === undefined ? undefined : readFileSync(file);
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ...(ca === undefined ? {} : { ca }) });
  return {
    ask: ({ method, path, body, patch = "merge", impersonate = [] }) =>
      new Promise((resolve, reject) => {
        const [user, ...groups] = impersonate;
        const sent = request(
          new URL(path, cluster.server),
          {
            agent,
            method,
            headers: {
              authorization: `Bearer ${token}`,
              accept: "application/json",
              "content-type": method === "PATCH" ? contentTypes[patch] : "application/json",
              ...(user === undefined ? {} : { "impersonate-user": user }),
              ...(groups.length === 0 ? {} : { "impersonate-group": groups }),
            },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("error", reject);
            response.on("end", () => {
              const text = Buffer.concat(chunks).toString("utf8");
              let parsed: unknown;
              try {
                parsed = JSON.parse(text);
              } catch {
                parsed = undefined;
              }
              resolve({ status: response.statusCode ?? 0, message: messageOf(parsed, text), body: parsed });
            });
          },
        );
        sent.on("error", reject);
        sent.end(body === undefined ? undefined : JSON.stringify(body));
      }),
    close: () => agent.destroy(),
  };
}

/** Who refused: a guardrail by its name, or what else of Kubernetes; undefined where nobody did. */
export function refusedBy({ status, message }: Answer): string | undefined {
  if (status < 400) return undefined;
  const policy = /ValidatingAdmissionPolicy 'platform-([-a-z]+)'/.exec(message)?.[1];
  if (policy !== undefined) return policy;
  if (/violates PodSecurity/.test(message)) return "Pod Security";
  if (/exceeded quota/.test(message)) return "quota";
  if (status === 403 && /User ".*" cannot |attempting to grant RBAC permissions/.test(message)) return "RBAC";
  return `${status} ${message}`;
}
