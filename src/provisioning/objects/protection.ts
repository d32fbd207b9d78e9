import { protectionAnnotation } from "../../application/names.ts";
import type { ServiceRef } from "../../application/service-ref.ts";
import { externalOf, storeKinds } from "../../application/store-provider.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject, ObjectMeta } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { recordsOf } from "../data-stores/known-store.ts";
import type { PlanContext } from "../step.ts";
import { claimsOf, dataStoreNames, isBeside, isClaimOf } from "./namespace-contents.ts";

/** What the annotation says once a run has lifted the protection: that run may delete it, no other. */
function liftedBy(run: string): string {
  return `lifted by ${run}`;
}

/** Whether an object is protected against deletion, by its annotation. Pure. */
export function isProtected({ annotations }: Pick<ObjectMeta, "annotations">): boolean {
  return annotations?.[protectionAnnotation] !== undefined;
}

/** Whether a run has to lift a protection before it may delete the object: any but one that it has lifted itself. Pure. */
export function guardsAgainst(run: string, metadata: Pick<ObjectMeta, "annotations">): boolean {
  return isProtected(metadata) && metadata.annotations?.[protectionAnnotation] !== liftedBy(run);
}

/** Whether this run has lifted the object's protection. Pure. */
export function isLiftedBy(run: string, metadata: Pick<ObjectMeta, "annotations">): boolean {
  return metadata.annotations?.[protectionAnnotation] === liftedBy(run);
}

/** The patch that protects an object. */
export const protecting = { metadata: { annotations: { [protectionAnnotation]: "true" } } } as const;

/** The patch by which a run lifts an object's protection. */
export function lifting(run: string) {
  return { metadata: { annotations: { [protectionAnnotation]: liftedBy(run) } } } as const;
}

/** A data store as it is in the cluster. */
export interface DataStore {
  /** Of its StatefulSet, its Service and its Secret. */
  readonly name: string;
  readonly statefulSet: KubeObject | undefined;
  readonly claims: readonly KubeObject[];
  /** The ConfigMap that says where it is, if it runs outside of the cluster. */
  readonly record: KubeObject | undefined;
}

/**
 * Reads data stores in a service's namespace by name, and other instances of those outside of the cluster; one of which nothing is
 * there is left out.
 */
export async function readDataStores(
  cluster: Cluster,
  { namespace }: Pick<ServiceRef, "namespace">,
  names: readonly string[],
): Promise<readonly DataStore[]> {
  const stores = await Promise.all(
    names.map(async (name) => {
      const [statefulSet, claims, records] = await Promise.all([
        find(cluster, resources.statefulSets, { namespace, name }),
        claimsOf(cluster, namespace, name),
        recordsOf(cluster, namespace, name),
      ]);
      const own = records.find(({ metadata }) => metadata.name === name);
      const beside = records.filter((record) => record !== own);
      return [
        { name, statefulSet, claims, record: own },
        ...beside.map((record) => ({
          name: record.metadata.name,
          statefulSet: undefined,
          claims: [],
          record,
        })),
      ];
    }),
  );
  return stores
    .flat()
    .filter(
      ({ statefulSet, claims, record }) =>
        statefulSet !== undefined || claims.length > 0 || record !== undefined,
    );
}

/** The objects of a data store that carry its protection. */
export function protectedObjects({ statefulSet, claims, record }: DataStore): readonly KubeObject[] {
  return [statefulSet, ...claims, record].flatMap((object) => object ?? []);
}

/** Names of the data stores that an operation destroys, as far as they are there. Pure. */
export function storesAtStake({
  request,
  application,
  previous,
  dataStores,
  cleanup,
}: Pick<PlanContext, "request" | "application" | "previous" | "dataStores" | "cleanup">): readonly string[] {
  const names = dataStoreNames(request.name);
  if (dataStores !== "delete") return [];
  if (cleanup !== undefined) {
    const whole = names.filter((store) =>
      cleanup.orphans.some(
        ({ type, name }) =>
          type === "Namespace" ||
          name === store ||
          (type === "PersistentVolumeClaim" && isClaimOf(name, store)),
      ),
    );
    const beside = cleanup.orphans.flatMap(({ type, name }) =>
      type === "ConfigMap" && names.some((store) => !whole.includes(store) && isBeside(name, store))
        ? [name]
        : [],
    );
    return [...whole, ...beside];
  }
  if (previous === undefined) return names;
  // What is not the platform's is only let go of.
  const taken = storeKinds.map(
    (store) =>
      previous.spec[store] !== undefined &&
      application.spec[store] === undefined &&
      externalOf(previous.spec, store) === undefined,
  );
  return names.filter((_, index) => taken[index] === true);
}

/** The data stores that an operation destroys and that are protected against it. */
export async function protectedAtStake(
  context: Parameters<typeof storesAtStake>[0] & Pick<PlanContext, "cluster">,
): Promise<readonly DataStore[]> {
  const names = storesAtStake(context);
  if (names.length === 0) return [];
  const stores = await readDataStores(context.cluster, context.application.metadata, names);
  return stores.filter((store) => protectedObjects(store).some(({ metadata }) => isProtected(metadata)));
}
