import type { StoredObject } from "./api.ts";
import builtin from "./builtin/resources.json" with { type: "json" };
import { type CustomVersion, customResource, readDefinition } from "./crd.ts";
import { type JsonObject, textAt } from "./json.ts";
import { definition, type Schema } from "./schema/schema.ts";

/** Where a scale subresource finds its values: paths such as `spec.replicas`. */
export interface ScalePaths {
  readonly spec: string;
  readonly status: string;
  readonly selector: string | undefined;
}

/** A resource that the server serves, in one version. */
export interface ResourceInfo {
  /** `group/plural`, for example `apps/deployments`, or `/pods`. */
  readonly id: string;
  readonly group: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Names of the served subresources. */
  readonly subresources: readonly string[];
  readonly scale: ScalePaths | undefined;
  readonly schema: Schema;
  /** What only custom resources have. */
  readonly custom: CustomVersion | undefined;
}

const workloadScale: ScalePaths = {
  spec: "spec.replicas",
  status: "status.replicas",
  selector: undefined,
};

function builtins(): readonly ResourceInfo[] {
  return builtin.map((resource) => ({
    ...resource,
    id: `${resource.group}/${resource.plural}`,
    apiVersion: resource.group === "" ? resource.version : `${resource.group}/${resource.version}`,
    listKind: `${resource.kind}List`,
    subresources: resource.subresources.filter((name) => servedSubresources.has(name)),
    scale: resource.subresources.includes("scale") ? workloadScale : undefined,
    schema: definition(resource.schema),
    custom: undefined,
  }));
}

const servedSubresources = new Set(["status", "scale", "log", "eviction", "proxy", "finalize"]);

/** The resources served now: the built-in ones and those of the CRDs in the store. */
export class Resources {
  readonly #builtins: ReadonlyMap<string, ResourceInfo>;
  /** By CRD name, then one entry a served version; the storage version first. */
  readonly #custom = new Map<string, readonly ResourceInfo[]>();
  #byPath = new Map<string, ResourceInfo>();
  #byId = new Map<string, ResourceInfo>();

  constructor() {
    this.#builtins = new Map(builtins().map((resource) => [resource.id, resource]));
    this.#index();
  }

  #index(): void {
    const all = [...this.#builtins.values(), ...[...this.#custom.values()].flat()];
    this.#byPath = new Map(all.map((resource) => [`${resource.apiVersion}/${resource.plural}`, resource]));
    // Of several versions the storage version stands first, and wins.
    this.#byId = new Map(all.toReversed().map((resource) => [resource.id, resource]));
  }

  /** Serves what a CRD defines from now on. */
  define(crd: JsonObject): void {
    const name = textAt(crd, "metadata", "name") ?? "";
    this.#custom.set(name, customResource(readDefinition(crd)));
    this.#index();
  }

  /** Stops serving what a CRD of this name defined. */
  undefine(name: string): void {
    if (this.#custom.delete(name)) this.#index();
  }

  /** By apiVersion and plural, as in a URL. */
  at(apiVersion: string, plural: string): ResourceInfo | undefined {
    return this.#byPath.get(`${apiVersion}/${plural}`);
  }

  /** By `group/plural`: the storage version. */
  byId(id: string): ResourceInfo | undefined {
    return this.#byId.get(id);
  }

  /** By apiVersion and kind, as owner references name their owners; any version of the group will do. */
  byKind(apiVersion: string, kind: string): ResourceInfo | undefined {
    const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
    return this.all().find((resource) => resource.kind === kind && resource.group === group);
  }

  /** Every served resource and version. */
  all(): readonly ResourceInfo[] {
    return [...this.#byPath.values()];
  }
}

/** `namespace/name`, or `name` for a resource without namespaces. */
export function keyOf(resource: ResourceInfo, namespace: string | undefined, name: string): string {
  return resource.namespaced ? `${namespace ?? ""}/${name}` : name;
}

/** A stored text as an object of the asked version. */
export function readStored(body: string, resource: ResourceInfo): StoredObject {
  const object: StoredObject = JSON.parse(body);
  if (resource.custom !== undefined) object.apiVersion = resource.apiVersion;
  return object;
}
