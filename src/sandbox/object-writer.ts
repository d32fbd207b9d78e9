import type { StoredObject } from "./api.ts";
import { storedOf } from "./decode-request.ts";
import { copy, type JsonObject, textAt } from "./json.ts";
import type { RegistryOptions, WriteContext } from "./registry.ts";
import { keyOf, type ResourceInfo, readStored } from "./resources.ts";
import { failures } from "./status.ts";

const crds = "apiextensions.k8s.io/customresourcedefinitions";

/** Writes decided objects to the store, inside a transaction, and keeps the served resources in step with CRDs. */
export class ObjectWriter {
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** Stores a new or changed object under the next resourceVersion; a dry run only shows it. */
  write(
    resource: ResourceInfo,
    namespace: string | undefined,
    before: StoredObject | undefined,
    object: JsonObject,
    context: WriteContext,
  ): StoredObject {
    const name = textAt(object, "metadata", "name") ?? "";
    if (context.dryRun) {
      const shown = storedOf(object, resource, before?.metadata.resourceVersion ?? "");
      // What was never stored has no version.
      if (before === undefined) Reflect.deleteProperty(shown.metadata, "resourceVersion");
      return shown;
    }
    const rv = this.#options.store.nextRevision();
    const stored = storedOf(object, resource, String(rv));
    const body = JSON.stringify(stored);
    if (body.length > 1_500_000) throw failures.tooLarge("etcdserver: request is too large");
    this.#options.store.put(
      {
        rv,
        type: before === undefined ? "ADDED" : "MODIFIED",
        resource: resource.id,
        key: keyOf(resource, namespace, name),
        body,
        previous: before === undefined ? null : JSON.stringify(before),
      },
      {
        uid: stored.metadata.uid,
        labels: JSON.stringify(stored.metadata.labels ?? {}),
        meta: JSON.stringify(stored.metadata),
        owners: (stored.metadata.ownerReferences ?? []).map(({ uid }) => uid),
      },
    );
    if (resource.id === crds) this.#options.resources.define(stored);
    this.#options.committed();
    return readStored(body, resource);
  }

  /** Removes an object; `last` is what watches see of it. */
  remove(
    resource: ResourceInfo,
    namespace: string | undefined,
    before: StoredObject,
    last: JsonObject,
    context: WriteContext,
  ): StoredObject {
    if (context.dryRun) return before;
    const rv = this.#options.store.nextRevision();
    const stored = storedOf(copy(last), resource, String(rv));
    this.#options.store.remove({
      rv,
      type: "DELETED",
      resource: resource.id,
      key: keyOf(resource, namespace, before.metadata.name),
      body: JSON.stringify(stored),
      previous: JSON.stringify(before),
    });
    if (resource.id === crds) this.#options.resources.undefine(before.metadata.name);
    this.#options.committed();
    return stored;
  }
}
