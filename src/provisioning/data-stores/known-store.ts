import { labels, providerAnnotation } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { dataStoreName, isBeside } from "../objects/namespace-contents.ts";
import { type CloudStore, storeOfEffect, storesIn, type WorkspaceEffect } from "./cloud-store.ts";

/**
 * What says where a data store's instances are that run outside of the cluster: the one that the service uses, then
 * those beside it.
 * @param name - of the data store, or of one instance's own record
 */
export async function recordsOf(
  cluster: Cluster,
  namespace: string,
  name: string,
): Promise<readonly KubeObject[]> {
  const { items } = await cluster.list(resources.configMaps, {
    namespace,
    labelSelector: `${labels.managed}=true`,
  });
  const records = items
    .filter(({ metadata }) => metadata.annotations?.[providerAnnotation] !== undefined)
    .map((item): KubeObject => ({ ...item, apiVersion: "v1", kind: "ConfigMap" }));
  return [
    ...records.filter(({ metadata }) => metadata.name === name),
    ...records.filter(({ metadata }) => isBeside(metadata.name, name)),
  ];
}

/** A data store that a journal names: as the cluster says, or as far as the journal does where that is gone. */
export async function knownStore(cluster: Cluster, effect: WorkspaceEffect): Promise<CloudStore> {
  const named = storeOfEffect(effect);
  const { name, store, namespace } = named.identity;
  const records = await recordsOf(cluster, namespace, dataStoreName(name, store));
  return records.flatMap(storesIn).find(({ variables }) => variables.name === effect.instance) ?? named;
}

/** The data stores outside of the cluster that are recorded under these names in a namespace, all instances of each. */
export async function recordedStores(
  cluster: Cluster,
  namespace: string,
  names: readonly string[],
): Promise<readonly CloudStore[]> {
  const records = await Promise.all(names.map((name) => recordsOf(cluster, namespace, name)));
  const found = new Map<string, CloudStore>();
  for (const store of records.flat().flatMap(storesIn)) {
    const { name } = store.variables;
    if (!found.has(name)) found.set(name, store);
  }
  return [...found.values()];
}
