import { expect } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { type Connection, connect, openTransport } from "../../src/cluster/connect.ts";
import { ClusterError, type ClusterErrorKind } from "../../src/cluster/errors.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { HttpAnswer, HttpRequest } from "../../src/cluster/transport.ts";
import { uniqueName } from "../cluster/connection.ts";

/** What a test of the contract has at hand: one API server and a namespace of its own on it. */
export interface Contract {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly warnings: readonly { readonly warning: string; readonly request: string }[];
  /** HTTP that {@link Cluster} has no words for. @throws ClusterError for anything but 2xx */
  http(request: Partial<HttpRequest> & Pick<HttpRequest, "method" | "path">): Promise<HttpAnswer>;
  /** Lines of a streaming answer. */
  lines(request: Pick<HttpRequest, "path"> & { readonly query: Record<string, string> }): Promise<string[]>;
  close(): Promise<void>;
}

/** How a suite reaches the API server it runs against. */
export type Open = () => Promise<{ readonly connection: Connection; close(): Promise<void> }>;

/** Connects and makes the namespace. */
export async function openContract(open: Open): Promise<Contract> {
  const { connection, close } = await open();
  const warnings: { warning: string; request: string }[] = [];
  const onWarning = (warning: string, request: string) => void warnings.push({ warning, request });
  const cluster = await connect(connection, { onWarning });
  const transport = await openTransport(connection, { onWarning });
  const namespace = uniqueName("contract");
  await cluster.create(resources.namespaces, namespaceObject(namespace));
  const request = (given: Partial<HttpRequest> & Pick<HttpRequest, "method" | "path">): HttpRequest => ({
    text: `${given.method} ${given.path}`,
    idempotent: false,
    ...given,
  });
  return {
    cluster,
    namespace,
    warnings,
    http: (given) => transport.send(request(given)),
    async lines(given) {
      const stream = await transport.stream(request({ method: "GET", ...given }), 30_000);
      let text = "";
      for await (const chunk of stream) text += String(chunk);
      return text.split("\n").filter((line) => line !== "");
    },
    async close() {
      await cluster.delete(resources.namespaces, { name: namespace });
      await Promise.all([cluster.close(), transport.close()]);
      await close();
    },
  };
}

/** The failure of a request that must fail. */
export async function failureOf(
  promise: Promise<unknown>,
  ...kinds: ClusterErrorKind[]
): Promise<ClusterError> {
  const outcome = await promise.then(
    (value) => value,
    (error: unknown) => error,
  );
  if (!(outcome instanceof ClusterError)) {
    throw new Error(`expected a failed request, got ${JSON.stringify(outcome)?.slice(0, 300)} ${outcome}`);
  }
  if (kinds.length > 0)
    expect(`${outcome.kind}: ${outcome.message}`).toMatch(new RegExp(`^(${kinds.join("|")}):`));
  return outcome;
}

/** Asks again and again until `check` stops throwing; its last error is the test's. */
export async function eventually<T>(check: () => Promise<T>, ms = 45_000): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export function namespaceObject(name: string): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

export function configMap(
  namespace: string,
  name: string,
  fields: { readonly data?: Record<string, string>; readonly metadata?: Record<string, unknown> } = {},
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace, ...fields.metadata },
    ...(fields.data === undefined ? {} : { data: fields.data }),
  };
}

/** A pod template that quota, Pod Security and kubelets accept. */
export function podTemplate(app: string, image = "registry.example/app:1") {
  return {
    metadata: { labels: { app } },
    spec: {
      containers: [
        {
          name: "app",
          image,
          ports: [{ name: "http", containerPort: 8080 }],
          env: [{ name: "A", value: "1" }],
        },
      ],
    },
  };
}

export function deployment(namespace: string, name: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: podTemplate(name), ...spec },
  };
}

/** A field somewhere in an object, by its path; undefined where there is none. */
export function at(object: unknown, ...path: (string | number)[]): unknown {
  let value = object;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Object.entries(value).find(([name]) => name === String(key))?.[1];
  }
  return value;
}
