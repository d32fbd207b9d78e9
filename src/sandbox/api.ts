/** Any stored object, as plain mutable JSON. Callers get copies: changing one changes nothing stored. */
export interface StoredObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    generation?: number;
    creationTimestamp: string;
    deletionTimestamp?: string;
    finalizers?: string[];
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    ownerReferences?: {
      apiVersion: string;
      kind: string;
      name: string;
      uid: string;
      controller?: boolean;
      blockOwnerDeletion?: boolean;
    }[];
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** `group/plural`, for example `apps/deployments`, or `/pods` for the core group. */
export type ResourceKey = string;

/**
 * What the simulated controllers see of the API server they run beside, in the same worker, synchronously. Writes
 * go through the same validation, resourceVersion allotment, change log and garbage collection as HTTP requests.
 * Every method throws an ApiFailure with a Kubernetes Status on refusal.
 */
export interface Api {
  /** Undefined too where the resource is not served. */
  get(resource: ResourceKey, namespace: string | undefined, name: string): StoredObject | undefined;
  /** Empty too where the resource is not served. */
  list(
    resource: ResourceKey,
    options?: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> },
  ): StoredObject[];
  create(resource: ResourceKey, object: Record<string, unknown>): StoredObject;
  /** Replaces everything but status; `metadata.resourceVersion` is a precondition when present. */
  update(resource: ResourceKey, object: StoredObject): StoredObject;
  /** Replaces status only; no change, no write. */
  updateStatus(resource: ResourceKey, object: StoredObject): StoredObject;
  /** Honours finalizers and graceful deletion; `grace: 0` removes at once. */
  delete(
    resource: ResourceKey,
    namespace: string | undefined,
    name: string,
    options?: { readonly uid?: string; readonly grace?: number },
  ): void;
  /**
   * Calls back after every committed change, by this process or by another that shares the store, in
   * resourceVersion order. Returns the unsubscriber.
   */
  onChange(
    listener: (change: {
      readonly type: "ADDED" | "MODIFIED" | "DELETED";
      readonly resource: ResourceKey;
      readonly object: StoredObject;
    }) => void,
  ): () => void;
  /**
   * True while this process leads the simulated controllers (one process at a time does, over a row in the store
   * that expires when its holder dies).
   */
  leads(): boolean;
  /** Runs `work` as one transaction: all of its writes are stored, or none. */
  transaction<T>(work: () => T): T;
}
