import type { Standards } from "../standards/standards.ts";
import type { ApplicationSpec } from "./application.ts";
import type { ExternalStore } from "./external-store.ts";

/** The data stores that a service may have. */
export const storeKinds = ["database", "cache"] as const;
export type StoreKind = (typeof storeKinds)[number];

/** Who runs a data store. */
export type StoreProvider = "in-cluster" | "cloudnative-pg" | "cloudsql" | "memorystore" | "external";

type Stores = Pick<ApplicationSpec, StoreKind>;

/** Who runs a service's data store; undefined where it has none. Pure. */
export function providerOf(spec: Stores, store: StoreKind): StoreProvider | undefined {
  const found = spec[store];
  return found === undefined ? undefined : (found.provider ?? "in-cluster");
}

/** Whether a service has this data store, and it runs in the cluster. Pure. */
export function isInCluster(spec: Stores, store: StoreKind): boolean {
  return providerOf(spec, store) === "in-cluster";
}

/** Whether a service has this data store, and Terraform makes it. Pure. */
export function isAtGoogle(spec: Stores, store: StoreKind): boolean {
  const provider = providerOf(spec, store);
  return provider === "cloudsql" || provider === "memorystore";
}

/**
 * Whether a service has this data store, and it runs elsewhere than beside the service, made by a run: a ConfigMap says
 * where. Pure.
 */
export function isInCloud(spec: Stores, store: StoreKind): boolean {
  return isAtGoogle(spec, store) || providerOf(spec, store) === "cloudnative-pg";
}

/** Where a service's data store is, and the Secret that opens it, if it is not the platform's; undefined else. Pure. */
export function externalOf(spec: Stores, store: StoreKind): ExternalStore | undefined {
  return spec[store]?.external;
}

/**
 * The spec with who runs each data store: what exists stays where it is, what is new goes where the
 * standards say, unless a person has said that it exists already. Pure.
 * @param before - the spec so far; unset for a new service
 */
export function withProviders(
  spec: ApplicationSpec,
  before: Stores | undefined,
  { database, cache }: Pick<Standards, StoreKind>,
): ApplicationSpec {
  const isNew = (store: StoreKind) => before?.[store] === undefined && spec[store]?.provider === undefined;
  const elsewhere = isNew("database") && database.provider !== "in-cluster" ? database.provider : undefined;
  const memorystore = isNew("cache") && cache.provider === "memorystore";
  return {
    ...spec,
    ...(spec.database !== undefined && elsewhere !== undefined
      ? { database: { ...spec.database, provider: elsewhere } }
      : {}),
    ...(spec.cache !== undefined && memorystore
      ? { cache: { ...spec.cache, provider: "memorystore" as const } }
      : {}),
  };
}
