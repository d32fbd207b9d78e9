import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { type CloudStore, cloudStoreIn, storeOfEffect, type WorkspaceEffect } from "./cloud-store.ts";

/** A data store that a journal names: as the cluster says, or as far as the journal does where that is gone. */
export async function knownStore(cluster: Cluster, effect: WorkspaceEffect): Promise<CloudStore> {
  const { namespace, store: name } = effect;
  const found = await find(cluster, resources.configMaps, { namespace, name });
  const recorded = found && cloudStoreIn({ ...found, kind: "ConfigMap" });
  return recorded?.variables.name === effect.instance ? recorded : storeOfEffect(effect);
}

/** The data stores outside of the cluster that are recorded under these names in a namespace. */
export async function recordedStores(
  cluster: Cluster,
  namespace: string,
  names: readonly string[],
): Promise<readonly CloudStore[]> {
  const found = await Promise.all(
    names.map((name) => find(cluster, resources.configMaps, { namespace, name })),
  );
  return found.flatMap((object) => (object && cloudStoreIn({ ...object, kind: "ConfigMap" })) ?? []);
}
