import { randomUUID } from "node:crypto";
import { admit, namespaceContent } from "./admission.ts";
import type { StoredObject } from "./api.ts";
import { applyConfiguration, managedAfterUpdate, type Writer } from "./apply/managed-fields.ts";
import { establish } from "./crd-status.ts";
import { decodeRequest } from "./decode-request.ts";
import { applyAllDefaults } from "./defaulting/defaulting.ts";
import { type DeleteOptions, markedForDeletion } from "./deletion.ts";
import { copy, ensureObject, equal, type JsonObject, listAt, numberAt, objectAt, textAt } from "./json.ts";
import { hasGeneration, initialStatus, needsVersionToUpdate } from "./lifecycle.ts";
import {
  checkPreconditions,
  hasNamespaceContent,
  nameFromPrefix,
  sameDesired,
  subjectOf,
  withoutVersion,
} from "./object-rules.ts";
import { ObjectWriter } from "./object-writer.ts";
import { applyJsonPatch, mergePatch } from "./patch.ts";
import { keyOf, type ResourceInfo, type Resources, readStored } from "./resources.ts";
import { scaledObject, scaleOf } from "./scale.ts";
import { decodeBuiltin } from "./schema/decode.ts";
import { ApiFailure, cause, failures } from "./status.ts";
import type { Store } from "./store.ts";
import { timestamp } from "./timestamp.ts";
import { validate } from "./validation/validate.ts";

/** What a write carries beside the object. */
export interface WriteContext {
  /** Recorded in `managedFields`. */
  readonly manager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: "Ignore" | "Warn" | "Strict";
  /** Becomes a `Warning` header. */
  readonly warn: (text: string) => void;
}

export type PatchBody =
  | { readonly type: "merge"; readonly body: unknown }
  | { readonly type: "json"; readonly body: unknown }
  | { readonly type: "apply"; readonly body: unknown; readonly force: boolean };

type WrittenSubresource = "status" | "scale" | "finalize" | undefined;

/** Where the registry gets what it does not decide: injected, so that tests may. */
export interface RegistryOptions {
  readonly store: Store;
  readonly resources: Resources;
  readonly now: () => Date;
  /** Called after each commit that changed something. */
  readonly committed: () => void;
}

/**
 * Reads and writes of single objects, with all a real API server does between the request and the store: decoding,
 * defaults, admission, validation, field ownership, preconditions, finalizers.
 */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #writes: ObjectWriter;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#writes = new ObjectWriter(options);
  }

  get store(): Store {
    return this.#options.store;
  }

  get resources(): Resources {
    return this.#options.resources;
  }

  now(): Date {
    return this.#options.now();
  }

  transaction<T>(work: () => T): T {
    return this.store.transaction(work);
  }

  get(resource: ResourceInfo, namespace: string | undefined, name: string): StoredObject | undefined {
    const body = this.store.get(resource.id, keyOf(resource, namespace, name));
    return body === undefined ? undefined : readStored(body, resource);
  }

  /** @throws ApiFailure 404. */
  require(resource: ResourceInfo, namespace: string | undefined, name: string): StoredObject {
    const found = this.get(resource, namespace, name);
    if (found === undefined) throw failures.notFound(subjectOf(resource, name));
    return found;
  }

  create(
    resource: ResourceInfo,
    namespace: string | undefined,
    body: unknown,
    context: WriteContext,
  ): StoredObject {
    const object = this.#decoded(resource, namespace, body, context);
    nameFromPrefix(object);
    const name = textAt(object, "metadata", "name");
    if (name === undefined || name === "") {
      const prefix = cause.required("metadata.name", "name or generateName is required");
      throw failures.invalid(resource.group, resource.kind, "", [prefix]);
    }
    if (textAt(object, "metadata", "resourceVersion")) {
      throw failures.badRequest("resourceVersion should not be set on objects to be created");
    }
    return this.transaction(() => this.#createDecoded(resource, namespace, object, context, undefined));
  }

  /** @param managedFields those of a server-side apply; left out, the writer owns all that it sent. */
  #createDecoded(
    resource: ResourceInfo,
    namespace: string | undefined,
    object: JsonObject,
    context: WriteContext,
    managedFields: unknown,
  ): StoredObject {
    const metadata = ensureObject(object, "metadata");
    for (const field of ["selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"])
      delete metadata[field];
    metadata.uid = randomUUID();
    metadata.creationTimestamp = timestamp(this.now());
    if (hasGeneration(resource)) metadata.generation = 1;
    else delete metadata.generation;
    const status = initialStatus(resource, object);
    if (status === undefined) delete object.status;
    else object.status = status;
    applyAllDefaults(resource, object, undefined);
    admit(this, resource, object, undefined, context);
    if (resource.id === crds) establish(object, this.now());
    this.#checked(resource, object, undefined, context);
    const name = textAt(metadata, "name") ?? "";
    if (this.get(resource, namespace, name) !== undefined) {
      throw failures.alreadyExists(subjectOf(resource, name));
    }
    metadata.managedFields =
      managedFields ??
      managedAfterUpdate(
        undefined,
        object,
        resource.schema,
        this.#writer(context, undefined),
        this.#statusApart(resource),
      );
    const created = this.#writes.write(resource, namespace, undefined, object, context);
    if (resource.id === "/namespaces" && !context.dryRun) this.#fillNamespace(created);
    return created;
  }

  #fillNamespace(namespace: StoredObject): void {
    const context = {
      manager: "kube-controller-manager",
      dryRun: false,
      fieldValidation: "Ignore",
      warn: () => {},
    } as const;
    for (const { resource: id, object } of namespaceContent(namespace)) {
      const resource = this.resources.byId(id);
      if (resource !== undefined) this.create(resource, namespace.metadata.name, object, context);
    }
  }

  /** PUT of an object or of its status, scale or (of a namespace) finalizers. */
  update(
    resource: ResourceInfo,
    namespace: string | undefined,
    name: string,
    body: unknown,
    context: WriteContext,
    subresource?: WrittenSubresource,
  ): StoredObject {
    if (subresource === "scale") {
      return this.transaction(() => {
        const before = this.require(resource, namespace, name);
        return this.#store(
          resource,
          namespace,
          before,
          scaledObject(resource, before, body),
          context,
          "scale",
        );
      });
    }
    const object = this.#decoded(resource, namespace, body, context, name);
    if (!textAt(object, "metadata", "resourceVersion") && needsVersionToUpdate(resource)) {
      throw failures.invalid(resource.group, resource.kind, name, [
        cause.invalid("metadata.resourceVersion", 0, "must be specified for an update"),
      ]);
    }
    return this.transaction(() =>
      this.#store(resource, namespace, this.require(resource, namespace, name), object, context, subresource),
    );
  }

  /** The second value says whether a server-side apply created the object. */
  patch(
    resource: ResourceInfo,
    namespace: string | undefined,
    name: string,
    patch: PatchBody,
    context: WriteContext,
    subresource?: WrittenSubresource,
  ): { readonly object: StoredObject; readonly created: boolean } {
    return this.transaction(() => {
      const before = this.get(resource, namespace, name);
      if (patch.type === "apply") {
        return this.#apply(resource, namespace, name, before, patch, context, subresource);
      }
      if (before === undefined) throw failures.notFound(subjectOf(resource, name));
      const target: JsonObject = subresource === "scale" ? scaleOf(resource, before) : before;
      const patched =
        patch.type === "merge" ? mergePatch(target, patch.body) : applyJsonPatch(copy(target), patch.body);
      if (subresource === "scale") {
        const scaled = scaledObject(resource, before, patched);
        return { object: this.#store(resource, namespace, before, scaled, context, "scale"), created: false };
      }
      const object = this.#decoded(resource, namespace, patched, context, name);
      // Not a precondition here, as it is in a replace or an apply.
      const uid = textAt(object, "metadata", "uid");
      if (uid && uid !== before.metadata.uid) {
        throw failures.invalid(resource.group, resource.kind, name, [
          cause.invalid("metadata.uid", uid, "field is immutable"),
        ]);
      }
      return {
        object: this.#store(resource, namespace, before, object, context, subresource),
        created: false,
      };
    });
  }

  #apply(
    resource: ResourceInfo,
    namespace: string | undefined,
    name: string,
    before: StoredObject | undefined,
    patch: { readonly body: unknown; readonly force: boolean },
    context: WriteContext,
    subresource: WrittenSubresource,
  ): { readonly object: StoredObject; readonly created: boolean } {
    if (before === undefined && subresource !== undefined) throw failures.notFound(subjectOf(resource, name));
    if (listAt(patch.body, "metadata", "managedFields").length > 0) {
      throw failures.badRequest("metadata.managedFields must be nil");
    }
    const kind = { apiVersion: textAt(patch.body, "apiVersion"), kind: textAt(patch.body, "kind") };
    if (kind.apiVersion === undefined || kind.kind === undefined) {
      throw failures.badRequest(`invalid object type: ${kind.apiVersion ?? "/"}, Kind=${kind.kind ?? ""}`);
    }
    // What other writes only warn of has no place in a typed patch.
    const undeclared = (text: string) => {
      const field = /"(.*)"/.exec(text)?.[1] ?? text;
      throw new ApiFailure(
        500,
        "",
        `failed to create typed patch object (${textAt(patch.body, "metadata", "namespace") ?? ""}/${name}; ${resource.group}/${resource.version}, Kind=${resource.kind}): .${field}: field not declared in schema`,
      );
    };
    const decoding: WriteContext =
      context.fieldValidation === "Strict"
        ? context
        : { ...context, fieldValidation: "Warn", warn: undeclared };
    const applied = this.#decoded(resource, namespace, patch.body, decoding, name);
    delete ensureObject(applied, "metadata").managedFields;
    const live: JsonObject = before ?? {
      apiVersion: resource.apiVersion,
      kind: resource.kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    };
    checkPreconditions(resource, name, before, applied);
    const writer = this.#writer(context, subresource);
    const options = { force: patch.force, statusApart: this.#statusApart(resource) };
    const configured = applyConfiguration(live, applied, resource.schema, writer, options);
    // A built-in type has no nulls, and metadata is one: what a removal left of an emptied map or list goes here.
    const next =
      resource.custom === undefined ? decodeBuiltin(configured, resource.schema).object : configured;
    for (const [field, value] of Object.entries(ensureObject(next, "metadata"))) {
      if (value === null) delete ensureObject(next, "metadata")[field];
    }
    const managedFields = listAt(next, "metadata", "managedFields");
    if (before === undefined) {
      delete ensureObject(next, "metadata").managedFields;
      return {
        object: this.#createDecoded(resource, namespace, next, context, managedFields),
        created: true,
      };
    }
    const metadata = ensureObject(next, "metadata");
    metadata.resourceVersion = before.metadata.resourceVersion;
    metadata.uid = before.metadata.uid;
    const object = this.#store(resource, namespace, before, next, context, subresource, managedFields);
    return { object, created: false };
  }

  /** Deletes, or marks for deletion while finalizers or a grace period hold it. Returns what is left, if anything is. */
  delete(
    resource: ResourceInfo,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions,
    context: WriteContext,
  ): { readonly object: StoredObject; readonly gone: boolean } {
    return this.transaction(() => {
      const before = this.require(resource, namespace, name);
      const subject = subjectOf(resource, name);
      if (options.uid !== undefined && options.uid !== before.metadata.uid) {
        throw failures.conflict(
          subject,
          `the UID in the precondition (${options.uid}) does not match the UID in record (${before.metadata.uid}). The object might have been deleted and then recreated`,
        );
      }
      const version = before.metadata.resourceVersion;
      if (options.resourceVersion !== undefined && options.resourceVersion !== version) {
        throw failures.conflict(
          subject,
          `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${version}). The object might have been modified`,
        );
      }
      admit(this, resource, undefined, before, context);
      const marked = markedForDeletion(resource, before, options, this.now());
      if (marked === undefined) {
        return { object: this.#writes.remove(resource, namespace, before, before, context), gone: true };
      }
      const object = equal(marked, before)
        ? before
        : this.#writes.write(resource, namespace, before, marked, context);
      return { object, gone: false };
    });
  }

  #writer(context: WriteContext, subresource: string | undefined): Writer {
    return { manager: context.manager, subresource, time: timestamp(this.now()) };
  }

  #statusApart(resource: ResourceInfo): boolean {
    return resource.subresources.includes("status");
  }

  #decoded(
    resource: ResourceInfo,
    namespace: string | undefined,
    body: unknown,
    context: WriteContext,
    name?: string,
  ): JsonObject {
    return decodeRequest(resource, namespace, name, body, context);
  }

  /** Writes a changed object, or returns the stored one when nothing changed. */
  #store(
    resource: ResourceInfo,
    namespace: string | undefined,
    before: StoredObject,
    sent: JsonObject,
    context: WriteContext,
    subresource: WrittenSubresource,
    managedFields?: readonly unknown[],
  ): StoredObject {
    const name = before.metadata.name;
    checkPreconditions(resource, name, before, sent);
    const object = this.#kept(resource, before, sent, subresource);
    applyAllDefaults(resource, object, before);
    if (subresource === undefined) admit(this, resource, object, before, context);
    if (resource.id === crds && subresource === undefined) establish(object, this.now());
    this.#checked(resource, object, before, context, subresource);
    const metadata = ensureObject(object, "metadata");
    if (hasGeneration(resource) && subresource !== "status" && !sameDesired(resource, before, object)) {
      metadata.generation = (before.metadata.generation ?? 0) + 1;
    }
    const writer = this.#writer(context, subresource === "finalize" ? undefined : subresource);
    metadata.managedFields =
      managedFields ??
      managedAfterUpdate(before, object, resource.schema, writer, this.#statusApart(resource));
    if (listAt(object, "metadata", "managedFields").length === 0) delete metadata.managedFields;
    if (equal(withoutVersion(before), withoutVersion(object))) return before;
    const held = listAt(object, "metadata", "finalizers").length > 0;
    const grace = numberAt(object, "metadata", "deletionGracePeriodSeconds") ?? 0;
    const ended = textAt(object, "metadata", "deletionTimestamp") !== undefined && !held && grace === 0;
    if (ended && !hasNamespaceContent(resource, object)) {
      return this.#writes.remove(resource, namespace, before, object, context);
    }
    return this.#writes.write(resource, namespace, before, object, context);
  }

  /** The sent object with what this request may not change taken from the stored one. */
  #kept(
    resource: ResourceInfo,
    before: StoredObject,
    sent: JsonObject,
    subresource: WrittenSubresource,
  ): JsonObject {
    if (subresource === "status") {
      const object = copy<JsonObject>(before);
      if (sent.status === undefined) delete object.status;
      else object.status = copy(sent.status);
      return object;
    }
    const object = subresource === "finalize" ? copy<JsonObject>(before) : copy(sent);
    if (subresource === "finalize") {
      object.spec = { ...objectAt(before, "spec"), finalizers: [...listAt(sent, "spec", "finalizers")] };
    }
    if (this.#statusApart(resource) && subresource !== "finalize") {
      if (before.status === undefined) delete object.status;
      else object.status = copy(before.status);
    }
    if (resource.id === "/namespaces" && subresource === undefined) {
      object.spec = { ...objectAt(object, "spec"), finalizers: [...listAt(before, "spec", "finalizers")] };
    }
    const metadata = ensureObject(object, "metadata");
    metadata.name = before.metadata.name;
    for (const field of kept) {
      if (before.metadata[field] === undefined) delete metadata[field];
      else metadata[field] = before.metadata[field];
    }
    return object;
  }

  #checked(
    resource: ResourceInfo,
    object: JsonObject,
    before: StoredObject | undefined,
    context: WriteContext,
    subresource?: WrittenSubresource,
  ): void {
    const causes = validate(resource, object, before, { subresource, warn: context.warn });
    if (causes.length > 0) {
      throw failures.invalid(resource.group, resource.kind, textAt(object, "metadata", "name") ?? "", causes);
    }
  }
}

const crds = "apiextensions.k8s.io/customresourcedefinitions";

/** Metadata that belongs to the server. */
const kept = [
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "generateName",
] as const;
