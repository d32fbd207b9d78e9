import { dataProblem, withVolumesOf } from "../../application/data-version.ts";
import { labels } from "../../application/names.ts";
import { apply, type Cluster, type ObjectRef } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { withReplicas } from "../../cluster/replicas.ts";
import { type Resource, resourceOf, resources } from "../../cluster/resource.ts";
import { type Child, childOf } from "./child.ts";
import type { ChildStore } from "./child-store.ts";
import { type Verdict, verdictOn } from "./verdict.ts";
import type { Wanted } from "./wanted.ts";

/** What became of one object that should be there. */
export type Result =
  /** It is there, as wanted. `wrote`: it was not so before. */
  | { readonly kind: "there"; readonly child: Child; readonly wrote: "created" | "changed" | undefined }
  /** Its place is not free yet. */
  | { readonly kind: "waiting" }
  /** Another object is in its place, and was left alone. */
  | { readonly kind: "conflict"; readonly owner: string }
  /** The API server refuses it: a quota, a guardrail, or a field that cannot change; or it would not read its own data. */
  | { readonly kind: "refused"; readonly text: string; readonly lasting: boolean };

/** A version that no object ever has: an apply with it makes what is missing, and is refused where something is there. */
const versionOfNothing = "1";

/** Writes single objects; never over one that is not ours, whoever is quicker. */
export class ObjectWriter {
  readonly #cluster: Cluster;
  readonly #store: ChildStore;

  constructor(cluster: Cluster, store: ChildStore) {
    this.#cluster = cluster;
    this.#store = store;
  }

  /**
   * Brings one object to what is wanted.
   * @param look - ask the server what is there, because the last time it was something the store does not hold
   * @throws ClusterError for what may pass by itself
   */
  async bring(
    wanted: Wanted,
    object: () => KubeObject,
    options: { readonly look: boolean; readonly signal: AbortSignal },
  ): Promise<Result> {
    let live = this.#store.get(wanted.resource, wanted.key);
    if (live === undefined && options.look) live = await this.#read(wanted, options.signal);
    const verdict = verdictOn(wanted, live);
    try {
      return await this.#carryOut(verdict, wanted, object, live, options.signal);
    } catch (error) {
      return refusal(error);
    }
  }

  /** Applies an object over the one of this UID. @throws ClusterError `conflict` where that is another by now */
  overwrite(object: KubeObject, uid: string, signal: AbortSignal): Promise<KubeObject> {
    return apply(this.#cluster, resourceOf(object), withMetadata(object, { uid }), { signal });
  }

  /** Deletes the object that the store holds, and no other of its name. @throws ClusterError */
  async remove({ resource, key }: Pick<Wanted, "resource" | "key">, signal: AbortSignal): Promise<void> {
    const uid = this.#store.get(resource, key)?.uid;
    if (uid === undefined) return;
    try {
      await this.#cluster.delete(resource, refOf(key), { uid, signal });
    } catch (error) {
      // Gone already; or another took its name, which is not ours.
      if (!isClusterError(error, "not-found", "conflict")) throw error;
    }
  }

  async #carryOut(
    verdict: Verdict,
    wanted: Wanted,
    object: () => KubeObject,
    live: Child | undefined,
    signal: AbortSignal,
  ): Promise<Result> {
    switch (verdict.do) {
      case "nothing":
        return live === undefined ? { kind: "waiting" } : { kind: "there", child: live, wrote: undefined };
      case "wait":
        return { kind: "waiting" };
      case "conflict":
        return { kind: "conflict", owner: verdict.owner };
      case "apply":
        return this.#apply(wanted.resource, object(), verdict, signal);
      case "create":
        return this.#create(wanted, object, signal);
    }
  }

  async #create(wanted: Wanted, object: () => KubeObject, signal: AbortSignal): Promise<Result> {
    const { resource } = wanted;
    try {
      const made = await apply(
        this.#cluster,
        resource,
        withMetadata(object(), { resourceVersion: versionOfNothing }),
        {
          signal,
        },
      );
      return { kind: "there", child: this.#store.learn(resource, made), wrote: "created" };
    } catch (error) {
      if (!isClusterError(error, "conflict")) throw error;
    }
    // Something of its name is there, unknown to the store: it is too new, or does not carry the platform's label.
    const live = await this.#read(wanted, signal);
    const verdict = verdictOn(wanted, live);
    // Gone again: the next time.
    if (verdict.do === "create") return { kind: "waiting" };
    return this.#carryOut(verdict, wanted, object, live, signal);
  }

  async #apply(
    resource: Resource,
    wanted: KubeObject,
    { uid, run, replicas }: Extract<Verdict, { readonly do: "apply" }>,
    signal: AbortSignal,
  ): Promise<Result> {
    const live =
      resource.kind === resources.statefulSets.kind
        ? await find(this.#cluster, resource, wanted.metadata, { signal })
        : undefined;
    const text = live && dataProblem(live, wanted);
    if (text !== undefined) return { kind: "refused", text, lasting: true };
    const object = live === undefined ? wanted : withVolumesOf(live, wanted);
    const written = await apply(
      this.#cluster,
      resource,
      withMetadata(replicas === undefined ? object : withReplicas(object, replicas), {
        uid,
        ...(run === undefined ? {} : { labels: { ...object.metadata.labels, [labels.run]: run } }),
      }),
      { signal },
    );
    return { kind: "there", child: this.#store.learn(resource, written), wrote: "changed" };
  }

  async #read({ resource, key }: Wanted, signal: AbortSignal): Promise<Child | undefined> {
    const object = await find(this.#cluster, resource, refOf(key), { signal });
    return object === undefined ? undefined : childOf(object);
  }
}

function withMetadata(object: KubeObject, metadata: Partial<KubeObject["metadata"]>): KubeObject {
  return { ...object, metadata: { ...object.metadata, ...metadata } };
}

/** Where the object of a key is. */
export function refOf(key: string): ObjectRef {
  const slash = key.indexOf("/");
  return slash === -1 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** What a refusal means for the object. @throws the error again where trying again may help */
function refusal(error: unknown): Result {
  // Its namespace or its kind is just going.
  if (isClusterError(error, "not-found")) return { kind: "waiting" };
  if (!isClusterError(error, "forbidden", "invalid")) throw error;
  if (error.causes.some(({ reason }) => reason === "NamespaceTerminating")) return { kind: "waiting" };
  return { kind: "refused", text: error.message, lasting: error.kind === "invalid" };
}
