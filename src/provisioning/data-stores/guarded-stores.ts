import type { Cluster } from "../../cluster/cluster.ts";
import { StepError } from "../errors.ts";
import { dataStoreName } from "../objects/namespace-contents.ts";
import { guardsAgainst } from "../objects/protection.ts";
import { storesIn } from "./cloud-store.ts";
import type { CloudStores } from "./cloud-stores.ts";
import { recordsOf } from "./known-store.ts";

/**
 * Data stores as a run's steps and compensations may use them: none is removed that is protected against it, unless
 * this run has lifted that, whatever asks for it.
 */
export function guardedStores(stores: CloudStores, cluster: Cluster, run: string): CloudStores {
  return {
    ...stores,
    async remove(store, why, work) {
      const { namespace, name: service, store: kind } = store.identity;
      const records = await recordsOf(cluster, namespace, dataStoreName(service, kind));
      const guard = records
        .filter(({ metadata }) => guardsAgainst(run, metadata))
        .find((record) => storesIn(record).some(({ variables }) => variables.name === store.variables.name));
      if (guard !== undefined) {
        throw new StepError(
          "refused",
          `${guard.metadata.name} of ${service} is protected against deletion, and this run has not lifted that; it was left as it is`,
          "data stores are destroyed only by who names the service: --data-stores delete --confirm NAME",
        );
      }
      return stores.remove(store, why, work);
    },
  };
}
