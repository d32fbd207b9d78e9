import { labels, providerAnnotation } from "../../application/names.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { type CloudStore, workspaceEffect } from "../data-stores/cloud-store.ts";
import { recordedStores } from "../data-stores/known-store.ts";
import { claimsOf, dataStoreNames } from "../objects/namespace-contents.ts";
import { storesAtStake } from "../objects/protection.ts";
import { deletions } from "../operations/describe.ts";
import { effectLabel } from "../runs/effect.ts";
import type { PlanContext, Step } from "../step.ts";
import { serviceObjects } from "./service-objects.ts";

/** Objects of data stores in the order in which they are deleted. */
interface DoomedObjects {
  /** StatefulSets, their Services and ConfigMaps: what they were is journaled, so that they can be made again. */
  readonly restorable: readonly KubeObject[];
  /** Those outside of the cluster: from the first of them on the run can only be finished. */
  readonly outside: readonly CloudStore[];
  /** Volume claims, credentials with what keeps those outside of the cluster, and what says where a data store is. */
  readonly final: readonly KubeObject[];
}

async function doomedObjects(context: PlanContext): Promise<DoomedObjects> {
  const { cluster, request, application } = context;
  const names = storesAtStake(context);
  const all = dataStoreNames(request.name);
  const components = ["database", "cache"].filter((_, index) => names.includes(all[index] ?? ""));
  const { namespace } = application.metadata;
  const [{ dataStores }, claims, outside] = await Promise.all([
    serviceObjects(cluster, application.metadata),
    Promise.all(names.map((name) => claimsOf(cluster, namespace, name))),
    recordedStores(cluster, namespace, names),
  ]);
  const own = dataStores.filter(({ metadata }) =>
    components.includes(metadata.labels?.[labels.component] ?? ""),
  );
  const kept = new Set([resources.secrets.kind, resources.pushSecrets.kind]);
  const isFinal = ({ kind, metadata }: KubeObject) =>
    kept.has(kind) || metadata.annotations?.[providerAnnotation] !== undefined;
  return {
    restorable: own.filter((object) => !isFinal(object)),
    outside,
    final: [...claims.flat(), ...own.filter(isFinal)],
  };
}

/**
 * Deletes databases and caches with their volumes and credentials: the data is lost. What can be made again goes
 * first, so that a deletion that fails there is still undone with nothing lost.
 */
export const deleteDataStores: Step = {
  id: "delete_data_stores",
  title: "Data stores",
  needs: ["preflight", "delete_kubernetes", "apply_kubernetes", "lift_protection", "snapshot_data_stores"],
  when: (context) => storesAtStake(context).length > 0,
  async describe(context) {
    const { restorable, outside, final } = await doomedObjects(context);
    const losesData = outside.length > 0 || final.some(({ kind }) => kind === "PersistentVolumeClaim");
    const objects = deletions([...restorable, ...final], losesData ? ["the data is lost"] : []);
    const workspaces = outside.map((store) => ({
      action: "delete" as const,
      effect: workspaceEffect(store),
    }));
    return {
      ...objects,
      effects: [...workspaces, ...objects.effects],
      notes: [...objects.notes, ...outside.flatMap(lastBackup)],
    };
  },
  async apply(context) {
    const { cloud, run, signal, log, write } = context;
    const { restorable, outside } = await doomedObjects(context);
    await write.deleteObjects(restorable);
    for (const store of outside) {
      const effect = workspaceEffect(store);
      // Who may destroy what is protected was asked when the protection was lifted.
      await write.remove(effect, "", async () => {
        await cloud.remove(store, "confirmed-by-person", { run, signal, log });
        return true;
      });
    }
    // A claim is held until no pod uses it: so after the StatefulSets, and with what they may have made until then.
    const { final } = await doomedObjects(context);
    await context.write.deleteObjects(final);
    const volumes = final.filter(({ kind }) => kind === "PersistentVolumeClaim").length;
    const objects = restorable.length + final.length - volumes;
    const instances = outside.map((store) => effectLabel(workspaceEffect(store)));
    return {
      summary: [
        ...instances,
        `${objects} objects and ${volumes} ${volumes === 1 ? "volume" : "volumes"} deleted`,
      ].join(", "),
    };
  },
};

/** What is left of a data store at Google. */
function lastBackup(store: CloudStore): readonly string[] {
  if (store.provider === "cloudnative-pg") {
    return [
      `no snapshot of ${store.variables.name} is taken; backups that its Cluster has made elsewhere stay`,
    ];
  }
  if (store.provider !== "cloudsql") return [`no backup of ${store.variables.name} is kept`];
  const { name, final_backup_days: days } = store.variables;
  return [
    days === 0 ? `no backup of ${name} is kept` : `Google keeps a last backup of ${name} for ${days} days`,
  ];
}
