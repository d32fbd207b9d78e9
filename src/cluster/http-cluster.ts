import { z } from "zod";
import {
  accessText,
  collectionPath,
  groupPath,
  listQuery,
  objectPath,
  ownCollectionPath,
  requestText,
  serviceProxyPath,
} from "./address.ts";
import type {
  AccessQuestion,
  Cluster,
  DeleteOptions,
  ListOptions,
  ObjectRef,
  Patch,
  RequestOptions,
  Subresource,
  WatchOptions,
  WriteOptions,
} from "./cluster.ts";
import { type ServedResource, servedGroups, servedIn } from "./discovery.ts";
import { ClusterError } from "./errors.ts";
import { kubeList, kubeObject, kubeTable } from "./json.ts";
import type { KubeList, KubeObject, KubeTable, WatchEvent } from "./object.ts";
import { apiVersionOf, type Resource, resources } from "./resource.ts";
import { cleanText } from "./text.ts";
import type { HttpRequest, Transport } from "./transport.ts";
import { lines, watchEvent } from "./watch.ts";

/** Under this name the server books every field we write. */
const fieldManager = "platform";

const metadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
const metadataOnlyEach = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
const table = "application/json;as=Table;g=meta.k8s.io;v=v1,application/json";

/** Servers send a bookmark about once a minute: after three without one the connection is taken for dead. */
const watchIdleMs = 200_000;
/** A container may be silent for long; the connection's own keep-alive finds out whether it lives. */
const logIdleMs = 0;
/** Characters; a program that prints without line breaks does not fill our memory. */
const longestLogLine = 64 * 1024;

const patchTypes = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

/** The one implementation of {@link Cluster}: requests to an API server over HTTP. */
export class HttpCluster implements Cluster {
  readonly context: string;
  readonly simulated: boolean;
  readonly #transport: Transport;
  readonly #random: () => number;
  readonly #served = new Map<string, Promise<readonly ServedResource[]>>();

  constructor(transport: Transport, random: () => number) {
    this.#transport = transport;
    this.#random = random;
    this.context = cleanText(transport.endpoint.context);
    this.simulated = transport.endpoint.simulated;
  }

  async get(
    resource: Resource,
    ref: ObjectRef,
    options: RequestOptions & { readonly subresource?: Subresource } = {},
  ): Promise<KubeObject> {
    const text = requestText("get", resource, ref, options.subresource);
    const path = objectPath(resource, ref, options.subresource, text);
    const { body } = await this.#send({ method: "GET", path, text, idempotent: true }, options);
    return kubeObject(body, text);
  }

  async list(resource: Resource, options: ListOptions = {}): Promise<KubeList> {
    const text = requestText("list", resource, { namespace: options.namespace });
    return kubeList(await this.#list(resource, options, text), resource, text);
  }

  async listMetadata(resource: Resource, options: ListOptions = {}): Promise<KubeList> {
    const text = requestText("list", resource, { namespace: options.namespace });
    return kubeList(await this.#list(resource, options, text, metadataOnly), resource, text);
  }

  async listTable(resource: Resource, options: ListOptions = {}): Promise<KubeTable> {
    const text = requestText("list", resource, { namespace: options.namespace });
    return kubeTable(await this.#list(resource, options, text, table), resource, text);
  }

  async create(resource: Resource, object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const { namespace } = object.metadata;
    const name = object.metadata.name || `${object.metadata.generateName ?? ""}…`;
    const text = requestText("create", resource, { namespace, name });
    const path = ownCollectionPath(resource, namespace, text);
    const query = writeQuery(options);
    const { body } = await this.#send(
      { method: "POST", path, query, body: object, text, idempotent: false },
      options,
    );
    return kubeObject(body, text);
  }

  async replace(
    resource: Resource,
    object: KubeObject,
    options: WriteOptions & { readonly subresource?: Subresource } = {},
  ): Promise<KubeObject> {
    const { subresource } = options;
    const text = requestText("replace", resource, object.metadata, subresource);
    const path = objectPath(resource, object.metadata, subresource, text);
    const query = writeQuery(options);
    const { body } = await this.#send(
      { method: "PUT", path, query, body: object, text, idempotent: false },
      options,
    );
    return kubeObject(body, text);
  }

  async patch(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    options: WriteOptions & { readonly subresource?: Subresource } = {},
  ): Promise<KubeObject> {
    const { subresource } = options;
    const applies = patch.type === "apply";
    // With a version as precondition the second time would be refused for what the first did.
    const idempotent = applies && patch.body.metadata.resourceVersion === undefined;
    const text = requestText(applies ? "apply" : "patch", resource, ref, subresource);
    const { body } = await this.#send(
      {
        method: "PATCH",
        path: objectPath(resource, ref, subresource, text),
        query: { ...writeQuery(options), ...(applies && patch.force ? { force: "true" } : {}) },
        contentType: patchTypes[patch.type],
        body: patch.body,
        text,
        idempotent,
      },
      options,
    );
    return kubeObject(body, text);
  }

  async delete(resource: Resource, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const text = requestText("delete", resource, ref);
    const { uid, resourceVersion } = options;
    const preconditions = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    await this.#send(
      {
        method: "DELETE",
        path: objectPath(resource, ref, undefined, text),
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          propagationPolicy: options.propagation ?? "Background",
          ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
          ...(options.dryRun === true ? { dryRun: ["All"] } : {}),
        },
        text,
        idempotent: false,
      },
      options,
    );
  }

  async *watch(resource: Resource, options: WatchOptions): AsyncGenerator<WatchEvent, void, undefined> {
    const text = requestText("watch", resource, { namespace: options.namespace });
    const { limit: _, ...selection } = options;
    const request: HttpRequest = {
      method: "GET",
      path: collectionPath(resource, options.namespace, text),
      query: {
        ...listQuery(selection),
        watch: "1",
        allowWatchBookmarks: "true",
        // As client-go does it: servers that restart do not get all their watches back in one moment.
        timeoutSeconds: String(Math.round(300 + 300 * this.#random())),
      },
      ...(options.metadataOnly === true ? { accept: metadataOnlyEach } : {}),
      text,
      signal: options.signal,
      timeoutMs: options.timeoutMs,
      step: options.step,
      idempotent: true,
    };
    const stream = await this.#transport.stream(request, watchIdleMs);
    options.onOpen?.();
    try {
      for await (const line of lines(stream)) {
        const event = watchEvent(line, resource, text, this.context);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      throw this.#transport.broken(error, request);
    } finally {
      stream.destroy();
    }
    options.signal?.throwIfAborted();
  }

  async *logs(
    ref: Required<ObjectRef>,
    options: RequestOptions & {
      readonly container?: string;
      readonly follow?: boolean;
      readonly tailLines?: number;
    } = {},
  ): AsyncGenerator<string, void, undefined> {
    const text = requestText("read", resources.pods, ref, "log");
    const request: HttpRequest = {
      method: "GET",
      path: objectPath(resources.pods, ref, "log", text),
      query: {
        ...(options.container === undefined ? {} : { container: options.container }),
        ...(options.follow === true ? { follow: "true" } : {}),
        ...(options.tailLines === undefined ? {} : { tailLines: String(options.tailLines) }),
      },
      accept: "*/*",
      text,
      signal: options.signal,
      timeoutMs: options.timeoutMs,
      step: options.step,
      idempotent: true,
    };
    const stream = await this.#transport.stream(request, logIdleMs);
    try {
      for await (const line of lines(stream, longestLogLine)) yield cleanText(line);
    } catch (error) {
      throw this.#transport.broken(error, request);
    } finally {
      stream.destroy();
    }
    options.signal?.throwIfAborted();
  }

  async can(question: AccessQuestion, options: RequestOptions = {}): Promise<boolean> {
    const text = accessText(question);
    const { body } = await this.#send(
      {
        method: "POST",
        path: collectionPath(resources.selfSubjectAccessReviews, undefined, text),
        body: {
          apiVersion: apiVersionOf(resources.selfSubjectAccessReviews),
          kind: resources.selfSubjectAccessReviews.kind,
          spec: { resourceAttributes: question },
        },
        text,
        idempotent: true,
      },
      options,
    );
    const parsed = accessSchema.safeParse(body);
    if (!parsed.success) throw notUnderstood(text);
    return parsed.data.status.allowed;
  }

  async whoAmI(options: RequestOptions = {}): Promise<{ username: string; groups: readonly string[] }> {
    const text = "who am I";
    const { body } = await this.#send(
      {
        method: "POST",
        path: collectionPath(resources.selfSubjectReviews, undefined, text),
        body: {
          apiVersion: apiVersionOf(resources.selfSubjectReviews),
          kind: resources.selfSubjectReviews.kind,
        },
        text,
        idempotent: true,
      },
      options,
    );
    const parsed = selfSchema.safeParse(body);
    if (!parsed.success) throw notUnderstood(text);
    const { username, groups } = parsed.data.status.userInfo;
    return { username: cleanText(username), groups: groups.map((group) => cleanText(group)) };
  }

  async serves(
    resource: Resource,
    options: RequestOptions & { readonly refresh?: boolean } = {},
  ): Promise<boolean> {
    const served = await this.#servedIn(resource, options);
    return served.some(({ plural }) => plural === resource.plural);
  }

  async discover(options: RequestOptions = {}): Promise<readonly Resource[]> {
    const groups = await servedGroups(this.#transport, requestOptions(options));
    const each = await Promise.all(
      groups.map((group) => this.#servedIn(group, { ...options, refresh: true })),
    );
    return each
      .flat()
      .filter(({ verbs }) => verbs.includes("list"))
      .map(({ verbs: _, ...resource }) => resource);
  }

  async serviceProxy(
    target: {
      readonly namespace: string;
      readonly service: string;
      readonly port: number | string;
      readonly path: string;
    },
    options: RequestOptions = {},
  ): Promise<unknown> {
    const text = `get services/proxy ${target.namespace}/${target.service}:${target.port}`;
    const path = serviceProxyPath(target, text);
    const { body } = await this.#send({ method: "GET", path, text, idempotent: true }, options);
    return body;
  }

  async version(options: RequestOptions = {}): Promise<string> {
    const text = "get the server's version";
    const { body } = await this.#send({ method: "GET", path: "/version", text, idempotent: true }, options);
    const parsed = versionSchema.safeParse(body);
    if (!parsed.success) throw notUnderstood(text);
    return cleanText(parsed.data.gitVersion);
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #list(resource: Resource, options: ListOptions, text: string, accept?: string): Promise<unknown> {
    const path = collectionPath(resource, options.namespace, text);
    const { body } = await this.#send(
      {
        method: "GET",
        path,
        query: listQuery(options),
        ...(accept === undefined ? {} : { accept }),
        text,
        idempotent: true,
      },
      options,
    );
    return body;
  }

  #servedIn(
    group: Pick<Resource, "group" | "version">,
    options: RequestOptions & { readonly refresh?: boolean },
  ): Promise<readonly ServedResource[]> {
    const key = groupPath(group);
    const known = options.refresh === true ? undefined : this.#served.get(key);
    if (known !== undefined) return known;
    const asked = servedIn(this.#transport, group, requestOptions(options));
    this.#served.set(key, asked);
    // What could not be found out is asked again next time.
    asked.catch(() => this.#served.get(key) === asked && this.#served.delete(key));
    return asked;
  }

  #send(request: HttpRequest, options: RequestOptions) {
    return this.#transport.send({ ...request, ...requestOptions(options) });
  }
}

const accessSchema = z.looseObject({ status: z.looseObject({ allowed: z.boolean() }) });
const selfSchema = z.looseObject({
  status: z.looseObject({
    userInfo: z.object({ username: z.string(), groups: z.array(z.string()).default([]) }),
  }),
});
const versionSchema = z.looseObject({ gitVersion: z.string() });

function notUnderstood(request: string): ClusterError {
  return new ClusterError("server", `the answer to "${request}" is not understood`, { request });
}

function requestOptions(options: RequestOptions): Pick<HttpRequest, "signal" | "timeoutMs" | "step"> {
  return { signal: options.signal, timeoutMs: options.timeoutMs, step: options.step };
}

/** Strict: a field that the server would drop silently is an error of ours. */
function writeQuery(options: WriteOptions): Record<string, string> {
  return {
    fieldManager,
    fieldValidation: "Strict",
    ...(options.dryRun === true ? { dryRun: "All" } : {}),
  };
}
