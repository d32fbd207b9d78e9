import type { KubeList, KubeObject, KubeTable, WatchEvent } from "./object.ts";
import type { Resource } from "./resource.ts";

/** Names one object: `namespace` is left out for cluster-scoped resources. */
export interface ObjectRef {
  readonly namespace?: string;
  readonly name: string;
}

/** What every request may carry. */
export interface RequestOptions {
  readonly signal?: AbortSignal;
  /**
   * How long it may take before it counts as `unreachable`, waits for a busy server (`Retry-After`) included; left out,
   * each attempt may take 30 s. Not for watches and logs.
   */
  readonly timeoutMs?: number;
  /** The step on whose behalf this is asked. Only a sandbox is told, so that faults can hit a step. */
  readonly step?: string;
}

export interface ListOptions extends RequestOptions {
  /** Left out: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects a page. */
  readonly limit?: number;
  readonly continue?: string;
  /** `"0"`: served from the API server's watch cache. */
  readonly resourceVersion?: string;
}

export interface WatchOptions extends ListOptions {
  readonly resourceVersion: string;
  /** Objects without spec and status. */
  readonly metadataOnly?: boolean;
  /** The server has accepted the watch: from now on silence means that nothing changed. */
  readonly onOpen?: () => void;
}

export interface WriteOptions extends RequestOptions {
  /** The server checks and answers as if it wrote, and writes nothing. */
  readonly dryRun?: boolean;
}

/** A patch by its content type. `apply` is server-side apply under our one field manager. */
export type Patch =
  | { readonly type: "merge"; readonly body: unknown }
  | { readonly type: "json"; readonly body: readonly unknown[] }
  | { readonly type: "apply"; readonly body: KubeObject; readonly force: boolean };

export interface DeleteOptions extends WriteOptions {
  /** The delete is refused (`conflict`) when the object is another one by now. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** Default `Background`. */
  readonly propagation?: "Foreground" | "Background" | "Orphan";
}

/** One question of `kubectl auth can-i`. */
export interface AccessQuestion {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

export type Subresource = "status" | "scale" | "eviction" | "log";

/**
 * All the program asks of a Kubernetes API server, real or embedded. There is one implementation, over HTTP
 * (`connect.ts`); the sandbox is a server for it. Every method throws {@link ClusterError} and nothing else,
 * but for an abort, which rejects with the signal's reason.
 */
export interface Cluster {
  /** The kubeconfig context, or `sandbox`: shown on every screen. */
  readonly context: string;
  readonly simulated: boolean;

  get(
    resource: Resource,
    ref: ObjectRef,
    options?: RequestOptions & { readonly subresource?: Subresource },
  ): Promise<KubeObject>;
  list(resource: Resource, options?: ListOptions): Promise<KubeList>;
  /** Metadata only (`PartialObjectMetadataList`): a tenth of the bytes. Items carry the resource's own kind. */
  listMetadata(resource: Resource, options?: ListOptions): Promise<KubeList>;
  listTable(resource: Resource, options?: ListOptions): Promise<KubeTable>;
  create(resource: Resource, object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** PUT; a `metadata.resourceVersion` in the object is a precondition. */
  replace(
    resource: Resource,
    object: KubeObject,
    options?: WriteOptions & { readonly subresource?: Subresource },
  ): Promise<KubeObject>;
  /** A `metadata.resourceVersion` in a merge or apply body is a precondition. */
  patch(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    options?: WriteOptions & { readonly subresource?: Subresource },
  ): Promise<KubeObject>;
  delete(resource: Resource, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  /**
   * Changes after `resourceVersion`, with bookmarks; ends when the server closes the watch (ask again from the
   * last resourceVersion seen). Throws `expired` when that version is gone. For a watch that outlives
   * connections use {@link Reflector}.
   */
  watch(resource: Resource, options: WatchOptions): AsyncIterable<WatchEvent>;
  /** Lines of a container's log, cleaned for a terminal. */
  logs(
    ref: Required<ObjectRef>,
    options?: RequestOptions & {
      readonly container?: string;
      readonly follow?: boolean;
      readonly tailLines?: number;
    },
  ): AsyncIterable<string>;
  /** Whether the current user may do it (SelfSubjectAccessReview). */
  can(question: AccessQuestion, options?: RequestOptions): Promise<boolean>;
  /** Who the server says we are (SelfSubjectReview). */
  whoAmI(
    options?: RequestOptions,
  ): Promise<{ readonly username: string; readonly groups: readonly string[] }>;
  /** Whether the resource is served at all, for example whether a CRD is installed. Cached for the connection's life unless `refresh`. */
  serves(resource: Resource, options?: RequestOptions & { readonly refresh?: boolean }): Promise<boolean>;
  /** GET through the API server's service proxy; the body as parsed JSON. */
  serviceProxy(
    target: {
      readonly namespace: string;
      readonly service: string;
      readonly port: number | string;
      readonly path: string;
    },
    options?: RequestOptions,
  ): Promise<unknown>;
  /** Every resource the server serves that can be listed, each at its group's preferred version (discovery). */
  discover(options?: RequestOptions): Promise<readonly Resource[]>;
  /** `gitVersion` of the server. */
  version(options?: RequestOptions): Promise<string>;
  close(): Promise<void>;
}

/** Server-side apply under our field manager: what all callers use to write desired state. */
export function apply(
  cluster: Cluster,
  resource: Resource,
  object: KubeObject,
  options: WriteOptions & { readonly force?: boolean } = {},
): Promise<KubeObject> {
  const ref = {
    name: object.metadata.name,
    ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
  };
  const { force = true, ...rest } = options;
  return cluster.patch(resource, ref, { type: "apply", body: object, force }, rest);
}
