import { labels } from "../../application/names.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { deletions } from "../describe.ts";
import { claimsOf, dataStoreNames } from "../namespace-contents.ts";
import { storesAtStake } from "../protection.ts";
import type { PlanContext, Step } from "../step.ts";
import { serviceObjects } from "./service-objects.ts";

/** Objects of data stores in the order in which they are deleted. */
interface DoomedObjects {
  /** StatefulSets, their Services and ConfigMaps: what they were is journaled, so that they can be made again. */
  readonly restorable: readonly KubeObject[];
  /**
   * Volume claims and credentials, with what keeps those outside of the cluster: once one of them is gone the run can
   * only be finished.
   */
  readonly final: readonly KubeObject[];
}

async function doomedObjects(context: PlanContext): Promise<DoomedObjects> {
  const { cluster, request } = context;
  const names = storesAtStake(context);
  const all = dataStoreNames(request.name);
  const components = ["database", "cache"].filter((_, index) => names.includes(all[index] ?? ""));
  const [{ dataStores }, claims] = await Promise.all([
    serviceObjects(cluster, request.name),
    Promise.all(names.map((name) => claimsOf(cluster, `app-${request.name}`, name))),
  ]);
  const own = dataStores.filter(({ metadata }) =>
    components.includes(metadata.labels?.[labels.component] ?? ""),
  );
  const kept = new Set([resources.secrets.kind, resources.pushSecrets.kind]);
  const isSecret = ({ kind }: KubeObject) => kept.has(kind);
  return {
    restorable: own.filter((object) => !isSecret(object)),
    final: [...claims.flat(), ...own.filter(isSecret)],
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
    const { restorable, final } = await doomedObjects(context);
    const losesData = final.some(({ kind }) => kind === "PersistentVolumeClaim");
    return deletions([...restorable, ...final], losesData ? ["the data is lost"] : []);
  },
  async apply(context) {
    const { restorable } = await doomedObjects(context);
    await context.write.deleteObjects(restorable);
    // A claim is held until no pod uses it: so after the StatefulSets, and with what they may have made until then.
    const { final } = await doomedObjects(context);
    await context.write.deleteObjects(final);
    const volumes = final.filter(({ kind }) => kind === "PersistentVolumeClaim").length;
    const objects = restorable.length + final.length - volumes;
    return { summary: `${objects} objects and ${volumes} ${volumes === 1 ? "volume" : "volumes"} deleted` };
  },
};
